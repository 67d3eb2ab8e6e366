"""Warnings to the operator about Supercheck itself."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from models.tables.base import Base, created_now, new_id


class OperatorWarning(Base):
    """A problem of Supercheck itself, shown to administrators on the dashboard: a location without workers, a late queue."""

    __tablename__ = "operator_warnings"
    __table_args__ = (
        Index(
            "uq_operator_warnings_open", "kind", "subject", unique=True, postgresql_where=text("resolved_at IS NULL")
        ),
    )

    id: Mapped[UUID] = new_id()
    kind: Mapped[str]
    subject: Mapped[str]
    message: Mapped[str]
    first_seen_at: Mapped[datetime] = created_now()
    last_seen_at: Mapped[datetime] = created_now()
    resolved_at: Mapped[datetime | None]
