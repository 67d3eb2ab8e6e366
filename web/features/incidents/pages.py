"""Outages: the list, and the timeline of each from the first failure to the recovery."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request
from sqlalchemy import select

from models.tables import Alert, Incident, Location, Monitor
from web.features.alerts import history
from web.features.incidents import service as incidents
from web.features.incidents.service import IncidentFilter
from web.features.monitors.detail_pages import find
from web.http.auth import Caller, current_caller
from web.http.extensions import db
from web.ui.access import id_of, not_here
from web.ui.pagination import midnight, paged_rows
from web.ui.parts import part

blueprint = Blueprint("incidents", __name__)
PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of a timeline: the outage `began` or `ended`, or an `alert` was created."""

    at: datetime
    word: str
    alert: Alert | None = None


@blueprint.get("/incidents")
def index() -> str:
    """Return one page of the list, open outages first. Arguments: `monitorId`, `open`, `from`, `to` (days in UTC)."""
    return render_template("incidents/incidents.html", **_list(current_caller()))


@blueprint.get("/incidents/partials/list")
def partial() -> Response:
    """Return the part that live updates fetch, with the same filters."""
    return part("incidents/_incidents.html", **_list(current_caller()))


@blueprint.get("/incidents/<incident_id>")
def story(incident_id: str) -> str:
    """Return the page of one outage. Raise a 404 `Problem` if there is none."""
    return render_template("incidents/incident.html", **_story(current_caller(), incident_id))


@blueprint.get("/incidents/<incident_id>/partials/story")
def story_partial(incident_id: str) -> Response:
    """Return the part that live updates fetch."""
    return part("incidents/_incident.html", **_story(current_caller(), incident_id))


def _list(caller: Caller) -> dict[str, Any]:
    filters = {name: request.args.get(name, "") for name in ("monitorId", "open", "from", "to")}
    monitor = find(caller, filters["monitorId"]) if filters["monitorId"] else None
    last_day = midnight(filters["to"])
    wanted = IncidentFilter(
        monitor_id=monitor.id if monitor else None,
        open={"true": True, "false": False}.get(filters["open"]),
        since=midnight(filters["from"]),
        until=last_day + timedelta(days=1) if last_day else None,
    )
    found = incidents.matching(caller.project_id, wanted).order_by(None)
    open_first = found.order_by(Incident.ended_at.is_(None).desc(), Incident.started_at.desc(), Incident.id)
    return {
        "page": paged_rows(open_first, PAGE_SIZE),
        "filters": filters,
        "filtered": any(filters.values()),
        "monitor": monitor,
        "now": datetime.now(UTC),
    }


def _story(caller: Caller, text: str) -> dict[str, Any]:
    wanted = id_of(text, "incident")
    found = incidents.find(caller.project_id, wanted)
    if found is None:
        home = select(Monitor.project_id).join(Incident, Incident.monitor_id == Monitor.id).where(Incident.id == wanted)
        raise not_here("incident", db.session.scalar(home))
    incident, monitor = found
    alerts = history.alerts_of(incident)
    moments = [Moment(incident.started_at, "began"), *(Moment(alert.created_at, "alert", alert) for alert in alerts)]
    if incident.ended_at is not None:
        moments.append(Moment(incident.ended_at, "ended"))
    return {
        "incident": incident,
        "monitor": monitor,
        # At the same time: the beginning first, then the end, then alerts.
        "moments": sorted(moments, key=lambda moment: (moment.at, moment.word != "began", moment.word == "alert")),
        "evidence": incident.evidence.get("locations", []),
        "location_names": {row.code: row.name for row in db.session.scalars(select(Location))},
        "now": datetime.now(UTC),
    }
