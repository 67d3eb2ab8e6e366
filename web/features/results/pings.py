"""A heartbeat's page: the timeline of its newest pings, and the deadline that a form as typed would mean."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from cronsim import CronSimError
from flask import Blueprint, jsonify, request
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.rules import heartbeats, time_zones
from models.tables import HeartbeatPing, Monitor, MonitorType
from web.http.extensions import db
from web.pings import bodies as ping_bodies
from web.ui.access import editor

blueprint = Blueprint("pings", __name__)
SHOWN = 20
#: How many deadlines of a cron expression a form is told.
_DEADLINES = 3
_LONGEST = timedelta(days=732)
#: Kind -> word, icon, look.
KINDS = {
    "success": ("Success", "check-circle-fill", "up"),
    "fail": ("Failure", "x-octagon-fill", "down"),
    "start": ("Start", "play-circle", "pending"),
    "log": ("Log", "card-text", "paused"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A ping in the timeline; `share` is its run time as percent of the longest one shown."""

    ping: HeartbeatPing
    word: str
    sign: str
    look: str
    share: float | None
    body: str | None


def newest(monitor: Monitor) -> list[Shown]:
    """The monitor's newest pings, of every kind; none where it is no heartbeat."""
    if monitor.type != MonitorType.HEARTBEAT:
        return []
    query = select(HeartbeatPing).where(HeartbeatPing.monitor_id == monitor.id)
    rows = list(db.session.scalars(query.order_by(HeartbeatPing.received_at.desc()).limit(SHOWN)))
    longest = max((row.duration_ms or 0.0 for row in rows), default=0.0)
    bodies = ping_bodies.stored(rows)
    return [Shown(row, *KINDS[row.kind], _share(row.duration_ms, longest), bodies[row.id]) for row in rows]


def _share(duration_ms: float | None, longest: float) -> float | None:
    if duration_ms is None:
        return None
    return round(max(1.0, 100 * duration_ms / longest), 1) if longest else 1.0


@blueprint.get("/monitors/partials/deadline")
def deadline() -> Response:
    """`{now, deadlines}` for `every` and `grace` in seconds, or `cron`, `zone` and `grace`; none where they are not sensible."""
    editor()
    now = datetime.now(UTC).replace(microsecond=0)
    return jsonify(now=now.isoformat(), deadlines=[one.isoformat() for one in _deadlines(now)])


def _deadlines(now: datetime) -> list[datetime]:
    grace = _span("grace") or timedelta()
    if "cron" in request.args:
        zone = time_zones.preferred(request.args.get("zone") or time_zones.UTC)
        if not time_zones.is_known(zone):
            return []
        try:
            deadlines = heartbeats.cron_deadlines(request.args["cron"], zone, grace, now)
            return list(islice(deadlines, _DEADLINES))
        except (CronSimError, ValueError):
            return []
    every = _span("every")
    return [heartbeats.interval_deadline(every, grace, now)] if every else []


def _span(name: str) -> timedelta | None:
    """The seconds in the query's `name`; None where they are none, or out of all proportion."""
    try:
        span = timedelta(seconds=float(request.args.get(name, "")))
    except (ValueError, OverflowError):
        return None
    return span if timedelta() < span <= _LONGEST else None
