"""Incidents: the outages of monitors."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, new_id


class Incident(Base):
    """One outage of one monitor, from the first failed round of its sequence to the recovery."""

    __tablename__ = "incidents"
    __table_args__ = (Index("uq_incidents_sequence", "monitor_id", "failure_sequence", unique=True),)

    id: Mapped[UUID] = new_id()
    monitor_id: Mapped[UUID] = mapped_column(ForeignKey("monitors.id", ondelete="CASCADE"))
    failure_sequence: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    error_code: Mapped[str | None]
    reason: Mapped[str] = mapped_column(server_default="")
    #: It started in a maintenance window.
    in_maintenance: Mapped[bool] = mapped_column(server_default=text("false"))
    evidence: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
