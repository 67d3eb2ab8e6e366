"""Runs of tests and jobs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now, new_id


class Run(Base):
    """One execution of a test or a job, with the resources it used."""

    __tablename__ = "runs"
    __table_args__ = (Index("ix_runs_project", "project_id", text("created_at DESC")),)

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    test_id: Mapped[UUID | None] = mapped_column(ForeignKey("tests.id", ondelete="SET NULL"), index=True)
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    monitor_id: Mapped[UUID | None] = mapped_column(ForeignKey("monitors.id", ondelete="SET NULL"), index=True)
    location: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="pending")
    error: Mapped[str | None]
    report_url: Mapped[str | None]
    cpu_seconds: Mapped[float | None]
    max_memory_mb: Mapped[float | None]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()
