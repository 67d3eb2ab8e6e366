"""/api/monitors: list, create, show, change, delete, run, notify, bulk actions."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, selectinload

from models.tables import Monitor, MonitorState, shown_status_expression
from web.api.pagination import Page, page_of
from web.api.route import May, route
from web.features.alerts import service as alerts
from web.features.monitors import bulk
from web.features.monitors import consistency as monitor_consistency
from web.features.monitors import service as monitors
from web.features.monitors.representation import shown, shown_in_detail, shown_saved
from web.features.monitors.schemas import (
    BulkIn,
    BulkOut,
    MonitorDetailOut,
    MonitorIn,
    MonitorOut,
    MonitorsQuery,
    NotifyIn,
    NotifyOut,
    RunOut,
)
from web.features.monitors.search import mentions
from web.features.notification_providers import recipients
from web.features.results.api import newest
from web.http import pagination
from web.http.auth import Caller

TAG = "Monitors"
RECENT = 50


def _replay(caller: Caller, monitor_id: UUID) -> MonitorOut:
    return shown(monitors.find(caller, monitor_id), caller)


@route("GET", "/monitors", tag=TAG, summary="List monitors by name", query=MonitorsQuery, answers=Page[MonitorOut])
def list_monitors(caller: Caller, query: MonitorsQuery) -> Page[MonitorOut]:
    rows, total = pagination.fetch(_filtered(caller, query), query)
    return page_of([shown(monitor, caller) for monitor in rows], query, total)


def _filtered(caller: Caller, query: MonitorsQuery) -> Select[Monitor]:
    found = (
        select(Monitor)
        .join(MonitorState, MonitorState.monitor_id == Monitor.id)
        .where(Monitor.project_id == caller.project_id)
        .order_by(Monitor.name, Monitor.id)
        .options(contains_eager(Monitor.state), selectinload(Monitor.providers))
    )
    if query.q:
        found = found.where(mentions(query.q))
    if query.type:
        found = found.where(Monitor.type == query.type)
    if query.status:
        found = found.where(shown_status_expression() == query.status)
    if query.tag:
        found = found.where(Monitor.tags.contains([query.tag]))
    if query.enabled is not None:
        found = found.where(Monitor.enabled.is_(query.enabled))
    if query.notifies:
        found = found.where(recipients.has_no_recipient())
    if query.notifies_only:
        found = found.where(recipients.notifies_only(query.notifies_only))
    return found


@route(
    "POST",
    "/monitors",
    tag=TAG,
    summary="Create a monitor; it is checked at once",
    may=May.EDIT,
    body=MonitorIn,
    raw_body=True,
    answers=MonitorOut,
    status=201,
    replay=_replay,
)
def create_monitor(caller: Caller, body: dict[str, Any]) -> MonitorOut:
    answer = shown_saved(monitors.create(caller, body), caller)
    answer.warnings += monitor_consistency.of_request(body)
    return answer


@route(
    "GET",
    "/monitors/<uuid:monitor_id>",
    tag=TAG,
    summary="Show a monitor with its newest results",
    answers=MonitorDetailOut,
)
def show_monitor(caller: Caller, monitor_id: UUID) -> MonitorDetailOut:
    return shown_in_detail(monitors.find(caller, monitor_id), caller, newest(monitor_id, RECENT))


@route(
    "PUT",
    "/monitors/<uuid:monitor_id>",
    tag=TAG,
    summary="Change a monitor; absent fields stay as they are",
    may=May.EDIT,
    body=MonitorIn,
    raw_body=True,
    answers=MonitorOut,
)
@route(
    "PATCH",
    "/monitors/<uuid:monitor_id>",
    tag=TAG,
    summary="Change a monitor; absent fields stay as they are",
    may=May.EDIT,
    body=MonitorIn,
    raw_body=True,
    answers=MonitorOut,
)
def change_monitor(caller: Caller, monitor_id: UUID, body: dict[str, Any]) -> MonitorOut:
    return shown_saved(monitors.change(caller, monitor_id, body), caller)


@route("DELETE", "/monitors/<uuid:monitor_id>", tag=TAG, summary="Delete a monitor", may=May.EDIT, status=204)
def delete_monitor(caller: Caller, monitor_id: UUID) -> None:
    monitors.delete(caller, monitor_id)


@route(
    "POST",
    "/monitors/<uuid:monitor_id>/run",
    tag=TAG,
    summary="Check now, in every location",
    may=May.EDIT,
    answers=RunOut,
    status=202,
)
def run_monitor(caller: Caller, monitor_id: UUID) -> RunOut:
    return RunOut(execution_group_id=monitors.run_now(caller, monitor_id))


@route(
    "POST",
    "/monitors/<uuid:monitor_id>/notify",
    tag=TAG,
    summary="Notify the monitor's providers manually",
    may=May.EDIT,
    body=NotifyIn,
    answers=NotifyOut,
    status=202,
)
def notify_monitor(caller: Caller, monitor_id: UUID, body: NotifyIn) -> NotifyOut:
    return NotifyOut(alert_id=alerts.notify(caller, monitor_id, body.status, body.message))


@route(
    "POST",
    "/monitors/bulk",
    tag=TAG,
    summary="Apply one action to many monitors",
    may=May.EDIT,
    body=BulkIn,
    answers=BulkOut,
)
def bulk_monitors(caller: Caller, body: BulkIn) -> BulkOut:
    return bulk.apply(caller, body)
