"""The page of one monitor: its state and cause, statistics, and latest results."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.tables import Incident, Location, Monitor, MonitorResult, shown_status
from web.features.monitors.listing import locations_of
from web.features.monitors.representation import heartbeat_url
from web.features.notification_providers import recipients
from web.features.results import ping_timeline, rounds, statistics, table
from web.features.results.charts import Chart, Point, response_chart
from web.http.auth import Caller, current_caller
from web.http.extensions import db
from web.ui.access import id_of, not_here
from web.ui.parts import part

blueprint = Blueprint("monitor", __name__)
BEATS = 50
RECENT = "recent"
_INCIDENTS = 5
#: The phases of a request in order, with the names of `details.timings`.
PHASES = {
    "dnsMs": ("DNS", "dns"),
    "connectMs": ("Connect", "connect"),
    "tlsMs": ("TLS", "tls"),
    "firstByteMs": ("Wait", "wait"),
    "downloadMs": ("Download", "download"),
}


@blueprint.get("/monitors/<monitor_id>")
def index(monitor_id: str) -> str:
    """Return the whole page."""
    caller = current_caller()
    monitor = find(caller, monitor_id)
    return render_template("monitors/monitor.html", **_content(caller, monitor))


@blueprint.get("/monitors/<monitor_id>/partials/live")
def partial(monitor_id: str) -> Response:
    """Return the part that live updates fetch, with the same filters."""
    caller = current_caller()
    return part("monitors/_monitor.html", **_content(caller, find(caller, monitor_id)))


def find(caller: Caller, text: str) -> Monitor:
    """Return the project's monitor with that id. Raise a 404 `Problem` if there is none."""
    query = select(Monitor).where(Monitor.id == id_of(text, "monitor")).options(joinedload(Monitor.state))
    monitor = db.session.scalar(query)
    if monitor is None or monitor.project_id != caller.project_id:
        raise not_here("monitor", monitor.project_id if monitor else None)
    return monitor


def _content(caller: Caller, monitor: Monitor) -> dict[str, Any]:
    now = datetime.now(UTC)
    newest = rounds.newest([monitor.id], BEATS, now, locations=locations_of(monitor), days=rounds.DETAIL_DAYS)
    history = statistics.history(monitor.id, now)
    period = request.args.get("period", RECENT)
    period = period if period in statistics.PERIODS else RECENT
    wanted = table.filters()
    latest = table.newest(monitor.id, now)
    return {
        "monitor": monitor,
        "state": monitor.state,
        "status": shown_status(monitor, monitor.state),
        "now": now,
        "rounds": newest[monitor.id],
        "beat_count": BEATS,
        "periods": statistics.PERIODS,
        "figures": {name: history.figures(name) for name in statistics.PERIODS},
        "covered": {name: statistics.covered(name, monitor.created_at, now) for name in statistics.PERIODS},
        "period": period,
        "chart": _chart(newest[monitor.id], history, period, monitor.created_at),
        "by_location": history.by_location(30),
        "location_names": _location_names(),
        "latest": latest,
        "certificate": _first(latest, "sslCertificate"),
        "phases": _phases(latest),
        "incidents": _incidents(monitor),
        "results": table.page(monitor.id, wanted, now),
        "result_sizes": table.SIZES,
        "filters": wanted,
        "counted": table.MAX_COUNT,
        "muted": bool(monitor.muted_until and monitor.muted_until > now),
        "recipients": recipients.of_monitor(monitor),
        "editable": caller.can_edit,
        "pings": ping_timeline.newest(monitor),
        "heartbeat_url": heartbeat_url(monitor, caller) if caller.can_edit else None,
    }


def _chart(newest: list[rounds.Round], history: statistics.History, period: str, since: datetime) -> Chart:
    if period != RECENT:
        return response_chart(history.points(period, since))
    return response_chart(
        [
            Point(
                round_.scheduled_for,
                round_.response_time_ms,
                up=int(round_.status == "up"),
                down=int(round_.status == "down"),
                error=int(round_.status == "error"),
            )
            for round_ in newest
        ]
    )


def _location_names() -> dict[str, str]:
    return {row.code: row.name for row in db.session.scalars(select(Location).order_by(Location.position))}


def _first(latest: list[MonitorResult], key: str) -> Any:
    """Return `details[key]` of the first row of the latest round that has it, or None."""
    return next((row.details[key] for row in latest if row.details.get(key)), None)


def _phases(latest: list[MonitorResult]) -> list[tuple[str, str, float, float, float]]:
    """Return (name, look, milliseconds, start and width in percent) of each phase of the latest request."""
    timings = _first(latest, "timings") or {}
    measured = [(key, timings[key]) for key in PHASES if isinstance(timings.get(key), int | float)]
    total = sum(value for _, value in measured)
    found, start = [], 0.0
    for key, value in measured:
        width = 100 * value / total if total else 0.0
        found.append((*PHASES[key], float(value), round(start, 2), round(width, 2)))
        start += width
    return found


def _incidents(monitor: Monitor) -> list[Incident]:
    query = select(Incident).where(Incident.monitor_id == monitor.id).order_by(Incident.started_at.desc())
    return list(db.session.scalars(query.limit(_INCIDENTS)))
