"""Notification providers (channels)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, HasSecrets, created_now, new_id


class NotificationProvider(HasSecrets, Base):
    """A channel with its config. The secrets of the config are encrypted in `secrets` as one JSON object."""

    __tablename__ = "notification_providers"
    __table_args__ = (
        Index("ix_notification_providers_resumed", "resumed_at", postgresql_where=text("resumed_at IS NOT NULL")),
    )

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    type: Mapped[str]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    config: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    last_success_at: Mapped[datetime | None]
    last_error_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    #: The service refuses permanently (404, revoked token): nothing is delivered until the config is corrected.
    broken: Mapped[bool] = mapped_column(server_default=text("false"))
    #: When it was enabled again; null once the sweep has sent the recoveries of the time when it was disabled.
    resumed_at: Mapped[datetime | None]
    #: The limit of messages per minute; null means the limit of its type (`actors.alerts.rate_limit`). Extra messages wait.
    max_per_minute: Mapped[int | None]
    #: The provider that receives the message if this one fails permanently or for too long.
    fallback_provider_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("notification_providers.id", ondelete="SET NULL")
    )
    created_at: Mapped[datetime] = created_now()
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
