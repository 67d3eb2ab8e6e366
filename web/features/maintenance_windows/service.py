"""Making, changing, ending and deleting maintenance windows."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, and_, or_, select

from models.rules import windows
from models.rules.windows import Occurrence, Plan
from models.tables import MaintenanceWindow
from web.api.schema import FieldWarning, problems_of, refuse_unfit
from web.features.maintenance_windows import scope as window_scope
from web.features.maintenance_windows.schemas import State, WindowIn, WindowOut, WindowsQuery
from web.features.monitors.schedule import check_cron, check_timezone
from web.http.auth import Caller
from web.http.errors import Problem, invalid, not_found
from web.http.extensions import db
from web.http.merge_patch import is_same, merge, without_nulls
from web.services import audit_events

_FURTHEST = timedelta(days=3650)


class _What(NamedTuple):
    """When a window is on, and for whom."""

    plan: Plan
    enabled: bool
    scope: tuple[tuple[UUID, ...] | None, str | None]


def find(who: Caller, window_id: UUID, *, lock: bool = False) -> MaintenanceWindow:
    """Return the caller's window. Raise a 404 `Problem` if it does not exist or is in another project."""
    query = select(MaintenanceWindow).where(
        MaintenanceWindow.id == window_id, MaintenanceWindow.project_id == who.project_id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    window = db.session.scalar(query)
    if window is None:
        raise not_found("maintenance window")
    return window


def query(who: Caller, wanted: WindowsQuery, now: datetime) -> Select[MaintenanceWindow]:
    """The project's windows that fit, by name."""
    found = select(MaintenanceWindow).where(MaintenanceWindow.project_id == who.project_id)
    if wanted.state:
        found = found.where(_in_state(wanted.state, now))
    if wanted.monitor_id:
        found = found.where(window_scope.holding_for(who, wanted.monitor_id))
    return found.order_by(MaintenanceWindow.name, MaintenanceWindow.id)


def create(who: Caller, data: Mapping[str, Any]) -> MaintenanceWindow:
    """A new window out of `data`. Raises a 422 `Problem`."""
    window = planned(who, data)
    db.session.add(window)
    _record(who, "maintenance.created", window)
    db.session.flush()
    return window


def planned(who: Caller, data: Mapping[str, Any]) -> MaintenanceWindow:
    """Return the window that `create` would save. Raises a 422 `Problem`."""
    refuse_unfit(data)
    now = datetime.now(UTC)
    fields = _examine(who, without_nulls(window_scope.as_list(_tidy(data), None)), data)
    window = MaintenanceWindow(id=uuid4(), project_id=who.project_id)
    _write(window, fields, now)
    _set_occurrence(window, None, now)
    return window


def change(who: Caller, window_id: UUID, data: Mapping[str, Any]) -> MaintenanceWindow:
    """The window with `data` merged into it. Raises a 404 or 422 `Problem`."""
    refuse_unfit(data)
    now = datetime.now(UTC)
    window = find(who, window_id, lock=True)
    before = _as_sent(window)
    changes = window_scope.as_list(_tidy(data), before["monitorIds"])
    after = merge(before, _schedule_changes(changes), frozenset())
    if is_same(without_nulls(before), after):
        return window
    fields = _examine(who, after, data)
    was = _what(window)
    _write(window, fields, now)
    if _what(window) != was:
        _set_occurrence(window, was, now)
    _record(who, "maintenance.changed", window, fields=sorted(key for key in data if key != "id"))
    db.session.flush()
    db.session.refresh(window)
    return window


def end(who: Caller, window_id: UUID) -> MaintenanceWindow:
    """The window with its present time ended now. Raises a 404 `Problem`, or a 409 where it is not on."""
    now = datetime.now(UTC)
    window = find(who, window_id, lock=True)
    if state_of(window, now) != "active":
        raise Problem(409, "This maintenance window is not on now.")
    window.occurred_from, window.occurred_until = window.occurs_from, now
    window.occurs_from, window.occurs_until = windows.following(_what(window).plan, now) or (None, None)
    _record(who, "maintenance.ended", window)
    db.session.flush()
    db.session.refresh(window)
    return window


def delete(who: Caller, window_id: UUID) -> None:
    """Delete the window; where it is on, it ends. Raises a 404 `Problem`."""
    window = find(who, window_id, lock=True)
    _record(who, "maintenance.deleted", window)
    db.session.delete(window)
    db.session.flush()


# --- showing ---------------------------------------------------------------------------------


def state_of(window: MaintenanceWindow, now: datetime) -> State:
    """How the window stands at `now`."""
    if not window.enabled:
        return "disabled"
    if window.occurs_from is None or window.occurs_until is None or window.occurs_until <= now:
        return "over" if window.cron_expression is None else "scheduled"
    return "active" if window.occurs_from <= now else "scheduled"


def shown(window: MaintenanceWindow, names: Mapping[UUID, str] | None = None) -> WindowOut:
    """The window as answers show it; the monitors' names are looked up where they are not given."""
    ids = window.monitor_ids
    only = ids[0] if ids is not None and len(ids) == 1 else None
    if only is not None and names is None:
        names = window_scope.names_of([window])
    return WindowOut(
        id=window.id,
        name=window.name,
        state=state_of(window, datetime.now(UTC)),
        starts_at=window.starts_at,
        cron_expression=window.cron_expression,
        timezone=window.timezone,
        duration_minutes=window.duration_seconds // 60,
        monitor_id=only,
        monitor_name=(names or {}).get(only) if only else None,
        monitor_ids=ids,
        tag=window.tag,
        enabled=window.enabled,
        occurs_from=window.occurs_from,
        occurs_until=window.occurs_until,
        last_from=window.occurred_from,
        last_until=window.occurred_until,
        created_at=window.created_at,
        updated_at=window.updated_at,
    )


def _in_state(state: State, now: datetime) -> ColumnElement[bool]:
    window = MaintenanceWindow
    if state == "disabled":
        return window.enabled.is_(False)
    on = and_(window.occurs_from <= now, window.occurs_until > now)
    over = and_(window.cron_expression.is_(None), or_(window.occurs_until.is_(None), window.occurs_until <= now))
    wanted: dict[str, ColumnElement[bool]] = {
        "active": on.is_(True),
        "over": over,
        "scheduled": and_(on.is_not(True), over.is_(False)),
    }
    return and_(window.enabled.is_(True), wanted[state])


def shown_saved(window: MaintenanceWindow) -> WindowOut:
    """The window as changes answer it: with warnings."""
    answer = shown(window)
    answer.warnings = warnings(window)
    return answer


def warnings(window: MaintenanceWindow) -> list[FieldWarning]:
    """Return warnings about the schedule of the saved `window`."""
    if window.enabled and window.cron_expression and windows.never_ends(_what(window).plan, datetime.now(UTC)):
        text = "These times overlap: the maintenance never ends, and no alerts are sent."
        return [FieldWarning(field="durationMinutes", message=text)]
    return []


# --- judging and writing ---------------------------------------------------------------------


def _tidy(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in WindowIn.READ_ONLY}


def _schedule_changes(changes: dict[str, Any]) -> dict[str, Any]:
    """`changes` with their meaning for what they replace: the other schedule, the other scope."""
    pairs = (("startsAt", "cronExpression"), ("monitorIds", "tag"))
    found = dict(changes)
    for one, other in (*pairs, *((b, a) for a, b in pairs)):
        if changes.get(one) is not None and other not in changes:
            found[other] = None
    return found


def _examine(who: Caller, data: Mapping[str, Any], sent: Mapping[str, Any]) -> WindowIn:
    """`data` as a window that may be saved; `sent` is the request's body. Raises a 422 `Problem`."""
    fields = problems_of(WindowIn, data)
    if isinstance(fields, dict):
        raise invalid(_as_named(fields, sent))
    problems: dict[str, str] = {}
    check_timezone(fields.timezone, "timezone", problems)
    if fields.cron_expression is not None:
        check_cron(fields.cron_expression, "cronExpression", 60, problems)
        if fields.starts_at is not None:
            problems["startsAt"] = "A window begins once or by a cron expression, not both."
    elif fields.starts_at is not None and fields.starts_at > datetime.now(UTC) + _FURTHEST:
        problems["startsAt"] = "Must begin within ten years."
    window_scope.check(who, fields.monitor_ids, fields.tag, fields.enabled, problems)
    if problems:
        raise invalid(_as_named(problems, sent))
    return fields


def _as_named(problems: Mapping[str, str], sent: Mapping[str, Any]) -> dict[str, str]:
    """`problems` by the names that the request used: the list may have come as one `monitorId`."""
    if "monitorIds" in sent or "monitorId" not in sent:
        return dict(problems)
    return {"monitorId" if path.startswith("monitorIds") else path: words for path, words in problems.items()}


def _as_sent(window: MaintenanceWindow) -> dict[str, Any]:
    return {
        "name": window.name,
        "startsAt": window.starts_at.isoformat() if window.starts_at else None,
        "cronExpression": window.cron_expression,
        "timezone": window.timezone,
        "durationMinutes": window.duration_seconds // 60,
        "monitorIds": None if window.monitor_ids is None else [str(one) for one in window.monitor_ids],
        "tag": window.tag,
        "enabled": window.enabled,
    }


def _write(window: MaintenanceWindow, fields: WindowIn, now: datetime) -> None:
    window.name, window.enabled, window.timezone = fields.name, fields.enabled, fields.timezone
    window.cron_expression = fields.cron_expression
    window.starts_at = None if fields.cron_expression else fields.starts_at or now
    window.duration_seconds = fields.duration_minutes * 60
    with db.session.no_autoflush:  # a tag beside the monitors of before would break a constraint
        window.tag, window.monitor_ids = fields.tag, fields.monitor_ids


def _what(window: MaintenanceWindow) -> _What:
    duration = timedelta(seconds=window.duration_seconds)
    plan = Plan(window.starts_at, window.cron_expression, window.timezone, duration)
    ids = window.monitor_ids
    return _What(plan, window.enabled, (None if ids is None else tuple(ids), window.tag))


def _set_occurrence(window: MaintenanceWindow, was: _What | None, now: datetime) -> None:
    """Work out when the window is on next; what of its old time has passed stays where it holds for the same monitors.

    Raises a 422 `Problem` where a window that is switched on would never come.
    """
    what = _what(window)
    began, ended = window.occurs_from, window.occurs_until
    if was is not None and was.scope != what.scope:
        window.occurred_from = window.occurred_until = None
    elif began is not None and ended is not None and began < now:
        window.occurred_from, window.occurred_until = began, min(ended, now)
    coming: Occurrence | None = windows.occurrence(what.plan, now) if window.enabled else None
    if coming is None and window.enabled:
        field = "cronExpression" if what.plan.cron else "startsAt"
        raise invalid({field: "This window would be over already: choose a later begin or a longer duration."})
    window.occurs_from, window.occurs_until = coming or (None, None)


def _record(who: Caller, action: str, window: MaintenanceWindow, **details: Any) -> None:
    ids = window.monitor_ids
    scope: dict[str, Any] = {"tag": window.tag} if window.tag else {}
    if ids is not None:
        scope = {"monitor": str(ids[0])} if len(ids) == 1 else {"monitors": len(ids)}
    audit_events.record(who, action, "maintenance_window", window.id, name=window.name, **scope, **details)
