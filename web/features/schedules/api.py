"""/api/schedules: when each monitor runs next."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from models.tables import Monitor, MonitorState
from web.api.pagination import Page, PageQuery, page_of
from web.api.route import route
from web.features.monitors.representation import minutes
from web.features.schedules.schemas import ScheduledMonitor, ScheduleOut
from web.http import pagination
from web.http.auth import Caller


@route(
    "GET",
    "/schedules",
    tag="Schedules",
    summary="List every active schedule, the next to run first",
    query=PageQuery,
    answers=Page[ScheduleOut],
)
def list_schedules(caller: Caller, query: PageQuery) -> Page[ScheduleOut]:
    found = (
        select(Monitor)
        .join(MonitorState, MonitorState.monitor_id == Monitor.id)
        .where(Monitor.project_id == caller.project_id, MonitorState.next_run_at.is_not(None))
        .order_by(MonitorState.next_run_at, Monitor.id)
        .options(contains_eager(Monitor.state))
    )
    rows, total = pagination.fetch(found, query)
    now = datetime.now(UTC)
    return page_of([_schedule(row, now) for row in rows], query, total)


def _schedule(monitor: Monitor, now: datetime) -> ScheduleOut:
    state = monitor.state
    assert state.next_run_at is not None, "the statement leaves out what is not scheduled"
    return ScheduleOut(
        id=f"monitor:{monitor.id}",
        monitor=ScheduledMonitor(id=monitor.id, name=monitor.name, type=monitor.type),
        frequency_minutes=minutes(monitor),
        cron_expression=monitor.cron_expression,
        timezone=monitor.timezone,
        next_run_at=state.next_run_at,
        last_run_at=state.last_run_at,
        lag_seconds=round(max(0.0, (now - state.next_run_at).total_seconds()), 3),
        skipped_slots=state.skipped_slots,
    )
