"""Lists of monitors: filtered, with their state, latest rounds and uptime of the last day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import contains_eager

from models.tables import HourlyRollup, Monitor, MonitorState, shown_status, shown_status_expression
from web.features.monitors.search import mentions
from web.features.notification_providers import recipients
from web.features.results import rounds
from web.features.results.rounds import Round
from web.http.extensions import db
from web.ui.access import uuid_or_none

BEATS = 30
#: A value of the filter `status`: in maintenance, with a verdict of down.
DOWN_IN_MAINTENANCE = "maintenance-down"
_SEVERITY = {"down": 0, "error": 1, "pending": 2, "maintenance": 2, "up": 3, "paused": 4}


@dataclass(slots=True)
class Row:
    """One row of a list. `uptime` is that of the last day in percent, or None if nothing was measured."""

    monitor: Monitor
    state: MonitorState
    status: str
    rounds: list[Round]
    uptime: float | None


def totals(project_id: UUID) -> dict[str, int]:
    """Return the number of monitors in each state."""
    status = shown_status_expression()
    query = (
        select(status, func.count())
        .select_from(Monitor)
        .join(MonitorState)
        .where(Monitor.project_id == project_id)
        .group_by(status)
    )
    return dict(db.session.execute(query).all())


def count_down_in_maintenance(project_id: UUID) -> int:
    """Return the number of monitors that are down in a maintenance window."""
    found = ids(project_id, {"status": DOWN_IN_MAINTENANCE}).order_by(None).subquery()
    return db.session.scalar(select(func.count()).select_from(found)) or 0


def query(project_id: UUID, filters: Mapping[str, str]) -> Select[Monitor]:
    """Select the project's monitors that match `filters`, the worst state first. Empty filters are ignored."""
    return _narrowed(select(Monitor), project_id, filters).options(contains_eager(Monitor.state))


def ids(project_id: UUID, filters: Mapping[str, str]) -> Select[UUID]:
    """Select the ids of the monitors of `query`, in its order."""
    return _narrowed(select(Monitor.id), project_id, filters)


def _narrowed(found: Select[Any], project_id: UUID, filters: Mapping[str, str]) -> Select[Any]:
    found = (
        found.join(MonitorState, MonitorState.monitor_id == Monitor.id)
        .where(Monitor.project_id == project_id)
        .order_by(case(_SEVERITY, value=shown_status_expression(), else_=3), func.lower(Monitor.name), Monitor.id)
    )
    if words := filters.get("q", "").strip():
        found = found.where(mentions(words))
    if kind := filters.get("type"):
        found = found.where(Monitor.type == kind)
    if status := filters.get("status"):
        shown = "maintenance" if status == DOWN_IN_MAINTENANCE else status
        found = found.where(shown_status_expression() == shown)
        if status == DOWN_IN_MAINTENANCE:
            found = found.where(MonitorState.status == "down")
    if filters.get("notifies") == "nobody":
        found = found.where(recipients.has_no_recipient())
    elif only := uuid_or_none(filters.get("notifiesOnly", "")):
        found = found.where(recipients.notifies_only(only))
    if tag := filters.get("tag"):
        found = found.where(Monitor.tags.contains([tag]))
    return found


def tags(project_id: UUID) -> list[str]:
    """Return every tag of the project's monitors by name."""
    tag = func.unnest(Monitor.tags).label("tag")
    return sorted(db.session.scalars(select(tag).where(Monitor.project_id == project_id).distinct()), key=str.lower)


def rows(monitors: Sequence[Monitor], now: datetime) -> list[Row]:
    """Return a row for each of `monitors`, with two queries in all."""
    ids = [monitor.id for monitor in monitors]
    newest = rounds.newest(ids, BEATS, now, locations=max((locations_of(monitor) for monitor in monitors), default=1))
    uptimes = _uptimes(ids, now)
    return [
        Row(monitor, monitor.state, shown_status(monitor, monitor.state), newest[monitor.id], uptimes.get(monitor.id))
        for monitor in monitors
    ]


def locations_of(monitor: Monitor) -> int:
    """Return the highest number of results that one round of `monitor` may have."""
    config: dict[str, Any] = monitor.config.get("locationConfig") or {}
    if not config.get("enabled"):
        return 1
    return len(config.get("locations") or ()) or 5


def _uptimes(ids: Sequence[UUID], now: datetime) -> dict[UUID, float]:
    if not ids:
        return {}
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    up, down = func.sum(HourlyRollup.up), func.sum(HourlyRollup.down)
    sums = (
        select(HourlyRollup.monitor_id, up, up + down)
        .where(HourlyRollup.monitor_id.in_(ids), HourlyRollup.hour >= since)
        .group_by(HourlyRollup.monitor_id)
    )
    return {monitor_id: 100 * good / measured for monitor_id, good, measured in db.session.execute(sums) if measured}
