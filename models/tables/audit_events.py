"""The audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now, new_id


class AuditEvent(Base):
    """One action on one object. The table is append-only: a trigger refuses updates and deletes.

    `project_id` is null for actions that concern the organization: projects, roles, accounts and sign-ins.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_project", "project_id", text("created_at DESC")),
        Index("ix_audit_events_organization", "organization_id", text("created_at DESC")),
    )

    id: Mapped[UUID] = new_id()
    organization_id: Mapped[UUID | None]
    project_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    api_key_id: Mapped[UUID | None]
    action: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    ip: Mapped[str | None]
    correlation_id: Mapped[str | None]
    created_at: Mapped[datetime] = created_now()
