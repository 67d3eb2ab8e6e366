"""Tests, jobs and their runs; and the upkeep's own record."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now, new_id


class Test(Base):
    """A Playwright script."""

    __tablename__ = "tests"

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    script: Mapped[str]
    created_at: Mapped[datetime] = created_now()
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Job(Base):
    """Tests that run together, on a schedule or on demand."""

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


class Run(Base):
    """One execution of a test or a job, with what it used."""

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


class CleanupRun(Base):
    """What one cleanup removed, or would have removed."""

    __tablename__ = "cleanup_runs"

    id: Mapped[UUID] = new_id()
    dry_run: Mapped[bool] = mapped_column(server_default=text("false"))
    deleted_results: Mapped[int] = mapped_column(server_default="0")
    figures: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    error: Mapped[str | None]
    started_at: Mapped[datetime] = created_now()
    finished_at: Mapped[datetime | None]
