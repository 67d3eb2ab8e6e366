"""Results of checks, partitioned by day."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import REAL
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class MonitorResult(Base):
    """The outcome of one location in one round, or one heartbeat ping.

    `id` is derived from (monitor, scheduled time, location), or it is the id of the ping; a redelivered check finds the row
    that exists. `location` is null for pings and missed heartbeats; `expected_locations` is null if `location` was the only
    one. There is no foreign key, for the sake of speed; the scheduler removes the rows of deleted monitors.
    """

    __tablename__ = "monitor_results"
    __table_args__ = (
        Index("ix_monitor_results_monitor", "monitor_id", text("scheduled_for DESC")),
        {"postgresql_partition_by": "RANGE (scheduled_for)"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    scheduled_for: Mapped[datetime] = mapped_column(primary_key=True)
    monitor_id: Mapped[UUID]
    checked_at: Mapped[datetime]
    location: Mapped[str | None]
    expected_locations: Mapped[list[str] | None]
    status: Mapped[str]
    response_time_ms: Mapped[float | None] = mapped_column(REAL)
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    is_status_change: Mapped[bool] = mapped_column(server_default=text("false"))
    consecutive_failure_count: Mapped[int] = mapped_column(server_default="0")
    alerts_sent_for_failure: Mapped[int] = mapped_column(server_default="0")
    test_execution_id: Mapped[UUID | None]
    test_report_s3_url: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
