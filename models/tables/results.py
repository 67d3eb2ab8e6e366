"""What was measured: every result, partitioned by day, and its sums by hour and by day."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Integer, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, REAL
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class MonitorResult(Base):
    """One location's outcome of one round, or one heartbeat ping.

    `id` is derived from (monitor, scheduled time, location), or is the ping's own: a redelivered check finds its row there.
    `location` is null for pings and missed heartbeats; `expected_locations` is null where the row's own was the only one.
    No foreign key: a check must not pay for one, and upkeep removes what a deleted monitor leaves behind.
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


class _Rollup:
    """Sums over one bucket of time at one location (`''` for pings). Times are milliseconds.

    `histogram` counts response times by the bounds of `models.rules.histogram`; adding two arrays merges two rollups.
    """

    monitor_id: Mapped[UUID]
    location: Mapped[str]
    up: Mapped[int] = mapped_column(server_default="0")
    down: Mapped[int] = mapped_column(server_default="0")
    error: Mapped[int] = mapped_column(server_default="0")
    response_count: Mapped[int] = mapped_column(server_default="0")
    response_sum: Mapped[float] = mapped_column(server_default="0")
    response_min: Mapped[float | None] = mapped_column(REAL)
    response_max: Mapped[float | None] = mapped_column(REAL)
    histogram: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))


class HourlyRollup(_Rollup, Base):
    __tablename__ = "monitor_rollups_hourly"
    __table_args__ = (
        PrimaryKeyConstraint("monitor_id", "hour", "location"),
        # Every check updates one row in place: room on the page keeps those updates off the index.
        {"postgresql_with": {"fillfactor": "70"}},
    )

    hour: Mapped[datetime]


class DailyRollup(_Rollup, Base):
    __tablename__ = "monitor_rollups_daily"
    __table_args__ = (PrimaryKeyConstraint("monitor_id", "day", "location"),)

    day: Mapped[date]


class HeartbeatPing(Base):
    """A ping as it came in, `/start` and `/log` included; success and failure are results as well."""

    __tablename__ = "heartbeat_pings"
    __table_args__ = (Index("ix_heartbeat_pings_monitor", "monitor_id", text("received_at DESC")),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    monitor_id: Mapped[UUID]
    received_at: Mapped[datetime]
    #: `success`, `fail`, `start` or `log`.
    kind: Mapped[str]
    exit_code: Mapped[int | None]
    duration_ms: Mapped[float | None]
    run_id: Mapped[UUID | None]
    source: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    body: Mapped[str | None]


class PingIntake(Base):
    """Since when web processes accept pings without a gap, and when one last confirmed it; one row, `web`."""

    __tablename__ = "ping_intake"

    role: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
