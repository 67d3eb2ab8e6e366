"""The timeline of a heartbeat's latest pings, on the page of its monitor."""

from dataclasses import dataclass

from sqlalchemy import select

from models.tables import HeartbeatPing, Monitor, MonitorType
from web.http.extensions import db
from web.pings import bodies as ping_bodies

SHOWN = 20
#: Kind -> word, icon, look.
KINDS = {
    "success": ("Success", "check-circle-fill", "up"),
    "fail": ("Failure", "x-octagon-fill", "down"),
    "start": ("Start", "play-circle", "pending"),
    "log": ("Log", "card-text", "paused"),
}


@dataclass(frozen=True, slots=True)
class ShownPing:
    """A ping in the timeline; `share` is its run time in percent of the longest one shown."""

    ping: HeartbeatPing
    word: str
    sign: str
    look: str
    share: float | None
    body: str | None


def newest(monitor: Monitor) -> list[ShownPing]:
    """Return the monitor's latest pings of every kind; none if it is not a heartbeat."""
    if monitor.type != MonitorType.HEARTBEAT:
        return []
    query = select(HeartbeatPing).where(HeartbeatPing.monitor_id == monitor.id)
    rows = list(db.session.scalars(query.order_by(HeartbeatPing.received_at.desc()).limit(SHOWN)))
    longest = max((row.duration_ms or 0.0 for row in rows), default=0.0)
    bodies = ping_bodies.stored(rows)
    return [ShownPing(row, *KINDS[row.kind], _share(row.duration_ms, longest), bodies[row.id]) for row in rows]


def _share(duration_ms: float | None, longest: float) -> float | None:
    if duration_ms is None:
        return None
    return round(max(1.0, 100 * duration_ms / longest), 1) if longest else 1.0
