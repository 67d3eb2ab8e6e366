"""/api/monitors/…: results, pings and statistics of one monitor."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, select

from models.rules import round_ids
from models.tables import HeartbeatPing, MonitorResult
from web.api.pagination import Page, PageQuery, page_of
from web.api.route import route
from web.features.monitors import service as monitors
from web.features.results import statistics
from web.features.results.schemas import (
    LocationStats,
    LocationStatsOut,
    LocationStatsQuery,
    PingKind,
    PingOut,
    ResultOut,
    ResultsQuery,
    ResultStatus,
    StatsOut,
    StatsQuery,
)
from web.features.results.statistics import Figures
from web.http import pagination
from web.http.auth import Caller
from web.http.extensions import db
from web.pings import bodies as ping_bodies

TAG = "Results"


def result_out(row: MonitorResult) -> ResultOut:
    """Return one row as a response."""
    details: dict[str, Any] = dict(row.details)
    if row.error_code:
        details["errorCode"] = row.error_code
    if row.error_message:
        details["errorMessage"] = row.error_message
    expected = row.expected_locations if row.expected_locations is not None else [row.location] if row.location else []
    return ResultOut(
        id=row.id,
        monitor_id=row.monitor_id,
        checked_at=row.checked_at,
        scheduled_for=row.scheduled_for,
        location=row.location,
        status=cast(ResultStatus, row.status),
        is_up=row.status == "up",
        response_time_ms=None if row.response_time_ms is None else round(row.response_time_ms, 3),
        is_status_change=row.is_status_change,
        consecutive_failure_count=row.consecutive_failure_count,
        alerts_sent_for_failure=row.alerts_sent_for_failure,
        execution_group_id=round_ids.round_id(row.monitor_id, row.scheduled_for),
        expected_locations=expected,
        test_execution_id=row.test_execution_id,
        test_report_s3_url=row.test_report_s3_url,
        details=details,
    )


def _of_monitor(monitor_id: UUID) -> Select[MonitorResult]:
    return (
        select(MonitorResult)
        .where(MonitorResult.monitor_id == monitor_id)
        .order_by(MonitorResult.scheduled_for.desc(), MonitorResult.id)
    )


def newest(monitor_id: UUID, limit: int) -> list[ResultOut]:
    """Return the monitor's latest results."""
    return [result_out(row) for row in db.session.scalars(_of_monitor(monitor_id).limit(limit))]


@route(
    "GET",
    "/monitors/<uuid:monitor_id>/results",
    tag=TAG,
    summary="List results, the newest first",
    query=ResultsQuery,
    answers=Page[ResultOut],
)
def list_results(caller: Caller, monitor_id: UUID, query: ResultsQuery) -> Page[ResultOut]:
    monitors.find(caller, monitor_id)
    found = _of_monitor(monitor_id)
    if query.date is not None:
        # Both limits, so that PostgreSQL reads only one day's partition.
        begin = datetime.combine(query.date, time(), UTC)
        found = found.where(
            MonitorResult.scheduled_for >= begin, MonitorResult.scheduled_for < begin + timedelta(days=1)
        )
    if query.location is not None:
        found = found.where(MonitorResult.location == query.location)
    if query.status is not None:
        found = found.where(MonitorResult.status == query.status)
    rows, total = pagination.fetch(found, query)
    return page_of([result_out(row) for row in rows], query, total)


@route(
    "GET",
    "/monitors/<uuid:monitor_id>/location-stats",
    tag=TAG,
    summary="Statistics for each location",
    query=LocationStatsQuery,
    answers=LocationStatsOut,
)
def location_stats(caller: Caller, monitor_id: UUID, query: LocationStatsQuery) -> LocationStatsOut:
    monitors.find(caller, monitor_id)
    figures = statistics.over_days(monitor_id, query.days, datetime.now(UTC)).by_location(query.days)
    latest = _latest(monitor_id, figures)
    return LocationStatsOut(data=[_location_stats(code, sums, latest.get(code)) for code, sums in figures.items()])


def _latest(monitor_id: UUID, locations: Iterable[str]) -> dict[str, ResultOut]:
    """Return the latest result of each location (`''` for pings). Each takes one index lookup."""
    found = {}
    for code in locations:
        where = MonitorResult.location == code if code else MonitorResult.location.is_(None)
        row = db.session.scalar(_of_monitor(monitor_id).where(where).limit(1))
        if row is not None:
            found[code] = result_out(row)
    return found


def _location_stats(code: str, sums: Figures, latest: ResultOut | None) -> LocationStats:
    return LocationStats(
        location=code or None,
        total_checks=sums.up + sums.down,
        up_checks=sums.up,
        error_checks=sums.error,
        uptime_percentage=_rounded(sums.uptime, 4),
        avg_response_time=_rounded(sums.average, 2),
        min_response_time=sums.lowest,
        max_response_time=sums.highest,
        latest=latest,
    )


@route(
    "GET",
    "/monitors/<uuid:monitor_id>/stats",
    tag=TAG,
    summary="Statistics of a period",
    query=StatsQuery,
    answers=StatsOut,
)
def stats(caller: Caller, monitor_id: UUID, query: StatsQuery) -> StatsOut:
    monitors.find(caller, monitor_id)
    now = datetime.now(UTC)
    sums = statistics.over_period(monitor_id, query.period, now)
    return StatsOut(
        uptime_percentage=_rounded(sums.uptime, 4),
        total_checks=sums.up + sums.down,
        error_checks=sums.error,
        avg_response_time=_rounded(sums.average, 2),
        p50=_rounded(sums.percentile(0.50), 2),
        p95=_rounded(sums.percentile(0.95), 2),
        p99=_rounded(sums.percentile(0.99), 2),
        incidents=statistics.incidents(monitor_id, statistics.start_of(query.period, now)),
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


@route(
    "GET",
    "/monitors/<uuid:monitor_id>/pings",
    tag=TAG,
    summary="List heartbeat pings of every kind, the newest first",
    query=PageQuery,
    answers=Page[PingOut],
)
def list_pings(caller: Caller, monitor_id: UUID, query: PageQuery) -> Page[PingOut]:
    monitors.find(caller, monitor_id)
    pings = (
        select(HeartbeatPing)
        .where(HeartbeatPing.monitor_id == monitor_id)
        .order_by(HeartbeatPing.received_at.desc(), HeartbeatPing.id)
    )
    rows, total = pagination.fetch(pings, query)
    bodies = ping_bodies.stored(rows)
    return page_of([_ping_out(row, bodies[row.id]) for row in rows], query, total)


def _ping_out(row: HeartbeatPing, body: str | None) -> PingOut:
    return PingOut(
        id=row.id,
        received_at=row.received_at,
        kind=cast(PingKind, row.kind),
        exit_code=row.exit_code,
        duration_ms=row.duration_ms,
        run_id=row.run_id,
        source=row.source,
        body=body,
    )
