"""Results, pings and statistics in the API: filters and responses."""

import datetime as dt
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from web.api.pagination import PageQuery
from web.api.schema import In, Out
from web.features.incidents.evidence import DETAILS

ResultStatus = Literal["up", "down", "error"]
PingKind = Literal["success", "fail", "start", "log"]


class ResultOut(Out):
    """The result of one location in one round, or one heartbeat ping."""

    id: UUID
    monitor_id: UUID
    checked_at: dt.datetime
    scheduled_for: dt.datetime
    location: str | None
    status: ResultStatus
    is_up: bool
    response_time_ms: float | None
    is_status_change: bool
    consecutive_failure_count: int
    alerts_sent_for_failure: int
    execution_group_id: UUID
    expected_locations: list[str]
    test_execution_id: UUID | None
    test_report_s3_url: str | None
    details: dict[str, Any] = Field(json_schema_extra=DETAILS)


class ResultsQuery(PageQuery):
    """`date` is a day in UTC."""

    date: dt.date | None = Field(default=None, lt=dt.date.max)
    location: str | None = Field(default=None, max_length=32)
    status: ResultStatus | None = None


class LocationStatsQuery(In):
    days: int = Field(default=30, ge=1, le=366)


class LocationStats(Out):
    """One location's statistics of the period. Times are in milliseconds. `error` results count in `errorChecks` only."""

    location: str | None
    total_checks: int
    up_checks: int
    error_checks: int
    uptime_percentage: float | None
    avg_response_time: float | None
    min_response_time: float | None
    max_response_time: float | None
    latest: ResultOut | None


class LocationStatsOut(Out):
    success: Literal[True] = True
    data: list[LocationStats]


class StatsQuery(In):
    period: Literal["24h", "7d", "30d", "90d"] = "24h"


class StatsOut(Out):
    """A monitor's statistics of the period, for all locations. Times are in milliseconds."""

    uptime_percentage: float | None
    total_checks: int
    error_checks: int
    avg_response_time: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    incidents: int


class PingOut(Out):
    """A heartbeat ping as it was received."""

    id: UUID
    received_at: dt.datetime
    kind: PingKind
    exit_code: int | None
    duration_ms: float | None
    run_id: UUID | None
    source: dict[str, Any]
    body: str | None
