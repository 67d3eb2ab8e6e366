"""Heartbeat pings."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class HeartbeatPing(Base):
    """A received ping, including `/start` and `/log`. Pings of success and failure are results as well."""

    __tablename__ = "heartbeat_pings"
    __table_args__ = (Index("ix_heartbeat_pings_monitor", "monitor_id", text("received_at DESC")),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    monitor_id: Mapped[UUID]
    received_at: Mapped[datetime]
    #: `success`, `fail`, `start` or `log`.
    kind: Mapped[str]
    exit_code: Mapped[int | None]
    duration_ms: Mapped[float | None]
    run_id: Mapped[UUID | None]
    source: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    body: Mapped[str | None]
