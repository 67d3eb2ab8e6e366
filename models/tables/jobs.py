"""Jobs: tests that run together."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now, new_id


class Job(Base):
    """A group of tests that run together, on a schedule or on demand."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    test_ids: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    cron_expression: Mapped[str | None]
    timezone: Mapped[str] = mapped_column(server_default="UTC")
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    next_run_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = created_now()
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
