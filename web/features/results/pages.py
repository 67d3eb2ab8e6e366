"""The deadlines that the heartbeat form would mean as typed, for its preview."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from models.rules import time_zones
from web.ui.access import editor

blueprint = Blueprint("pings", __name__)
#: How many deadlines of a cron expression the preview shows.
_DEADLINES = 3
_LONGEST = timedelta(days=732)


@blueprint.get("/monitors/partials/deadline")
def deadline() -> Response:
    """Return `{now, deadlines}` for `every` and `grace` in seconds, or for `cron`, `zone` and `grace`.

    The list is empty if the arguments are not valid.
    """
    editor()
    now = datetime.now(UTC).replace(microsecond=0)
    return jsonify(now=now.isoformat(), deadlines=[deadline.isoformat() for deadline in _deadlines(now)])


def _deadlines(now: datetime) -> list[datetime]:
    grace = _span("grace") or timedelta()
    if "cron" in request.args:
        zone = time_zones.preferred(request.args.get("zone") or time_zones.UTC)
        if not time_zones.is_known(zone):
            return []
        try:
            fire_times = CronSim(request.args["cron"], now.astimezone(ZoneInfo(zone)))
            return [fire_time.astimezone(UTC) + grace for fire_time in islice(fire_times, _DEADLINES)]
        except (CronSimError, ValueError):
            return []
    every = _span("every")
    return [now + every + grace] if every else []


def _span(name: str) -> timedelta | None:
    """Return the seconds in the argument `name`, or None if they are not a number or out of range."""
    try:
        span = timedelta(seconds=float(request.args.get(name, "")))
    except (ValueError, OverflowError):
        return None
    return span if timedelta() < span <= _LONGEST else None
