"""Cleanup runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now, new_id


class CleanupRun(Base):
    """The result of one cleanup, or of a dry run of one."""

    __tablename__ = "cleanup_runs"

    id: Mapped[UUID] = new_id()
    dry_run: Mapped[bool] = mapped_column(server_default=text("false"))
    deleted_results: Mapped[int] = mapped_column(server_default="0")
    figures: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    error: Mapped[str | None]
    started_at: Mapped[datetime] = created_now()
    finished_at: Mapped[datetime | None]
