"""API keys of projects."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now, new_id
from models.tables.members import Role


class ApiKey(Base):
    """An API key of one project. Only its SHA-256 is stored, which is enough because keys are long and random."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    #: The first characters, shown so that users can tell keys apart.
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(server_default=Role.PROJECT_EDITOR.value)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()
