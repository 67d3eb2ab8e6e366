"""/api/locations, /api/schedules, /api/dead-messages: where checks run, when, and what the queues gave up on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from models.rules import locations as rules
from models.tables import Location, Monitor, MonitorState
from web.api.lists import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.locations import health as places
from web.features.locations import service as locations
from web.features.locations.schemas import (
    DeadMessageOut,
    LocationChange,
    LocationIn,
    LocationOut,
    ScheduledMonitor,
    ScheduleOut,
)
from web.features.monitors.representation import minutes
from web.features.monitors.schemas import Type
from web.http import pagination
from web.http.auth import Caller
from web.http.errors import not_found
from web.http.extensions import db, redis_client
from web.live import queue_stats

TAG = "Locations"
ONE = "/locations/<string:code>"
#: Older ones are not listed; they go by themselves after a week.
MOST_DEAD_LETTERS = 1000


@route(
    "GET",
    "/locations",
    tag=TAG,
    summary="List the places checks run from, the default first",
    query=PageQuery,
    answers=Page[LocationOut],
)
def list_locations(caller: Caller, query: PageQuery) -> Page[LocationOut]:  # noqa: ARG001 - everybody's
    rows = rules.ordered(db.session())
    default = rules.default_of(rows)
    rows.sort(key=lambda row: row.code != default)
    return page_of(_locations(rows)[query.offset : query.offset + query.limit], query, len(rows))


@route(
    "POST",
    "/locations",
    tag=TAG,
    summary="Add a location",
    may=May.ORGANIZE,
    body=LocationIn,
    answers=LocationOut,
    status=201,
    replay=lambda caller, code: cast(LocationOut, show_location(caller, code)),
    coded=True,
)
def add_location(caller: Caller, body: LocationIn) -> LocationOut:
    return _location(locations.add(caller, body.code, body.name))


@route("GET", ONE, tag=TAG, summary="Show a location", answers=LocationOut)
def show_location(caller: Caller, code: str) -> LocationOut:  # noqa: ARG001 - everybody's
    row = db.session.get(Location, code)
    if row is None:
        raise not_found("location")
    return _location(row)


_CHANGE: dict[str, Any] = {
    "tag": TAG,
    "summary": "Rename a location, switch it on or off, or make it the default one",
    "may": May.ORGANIZE,
    "body": LocationChange,
    "answers": LocationOut,
}


@route("PUT", ONE, **_CHANGE)
@route("PATCH", ONE, **_CHANGE)
def change_location(caller: Caller, code: str, body: LocationChange) -> LocationOut:
    return _location(locations.change(caller, code, **body.model_dump()))


@route("DELETE", ONE, tag=TAG, summary="Remove a location that nothing names", may=May.ORGANIZE, status=204)
def remove_location(caller: Caller, code: str) -> None:
    locations.remove(caller, code)


def _location(row: Location) -> LocationOut:
    return next(one for one in _locations(rules.ordered(db.session())) if one.code == row.code)


def _locations(rows: Sequence[Location]) -> list[LocationOut]:
    standing = places.standing()
    default = rules.default_of(rows)
    return [
        LocationOut(
            code=row.code,
            name=row.name,
            queue=f"monitor-execution.{row.code}",
            enabled=row.enabled,
            default=row.code == default,
            workers_online=None if standing is None else standing.workers[row.code],
            last_seen_at=row.last_seen_at,
            rounds_unanswered=None if standing is None else standing.unanswered[row.code],
        )
        for row in rows
    ]


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
        monitor=ScheduledMonitor(id=monitor.id, name=monitor.name, type=cast(Type, monitor.type)),
        frequency_minutes=minutes(monitor),
        cron_expression=monitor.cron_expression,
        timezone=monitor.timezone,
        next_run_at=state.next_run_at,
        last_run_at=state.last_run_at,
        lag_seconds=round(max(0.0, (now - state.next_run_at).total_seconds()), 3),
        skipped_slots=state.skipped_slots,
    )


@route(
    "GET",
    "/dead-messages",
    tag="Schedules",
    summary="List the messages that actors gave up on, the newest first",
    may=May.ORGANIZE,
    query=PageQuery,
    answers=Page[DeadMessageOut],
)
def list_dead_messages(caller: Caller, query: PageQuery) -> Page[DeadMessageOut]:  # noqa: ARG001 - the installation's
    found = queue_stats.dead_letters(redis_client(), MOST_DEAD_LETTERS)
    now = datetime.now(UTC)
    shown = [
        DeadMessageOut(**one._asdict(), age_seconds=round(max(0.0, (now - one.died_at).total_seconds()), 1))
        for one in found[query.offset : query.offset + query.limit]
    ]
    return page_of(shown, query, len(found))
