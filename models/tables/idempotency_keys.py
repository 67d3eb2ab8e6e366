"""Responses kept for repeated requests."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class IdempotencyKey(Base):
    """The response to a creating request with an `Idempotency-Key`, so that a repeated request gets the same response."""

    __tablename__ = "idempotency_keys"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str]
    #: An HMAC with a key of the installation: bodies may contain passwords, which could be guessed from a plain hash.
    request_hash: Mapped[bytes]
    response_status: Mapped[int]
    response_body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
