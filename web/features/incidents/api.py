"""/api/incidents: outages with their cause, evidence and alerts."""

from datetime import UTC, datetime
from uuid import UUID

from models.tables import Incident, Monitor
from web.api.pagination import Page, page_of
from web.api.route import route
from web.features.alerts import history
from web.features.alerts.api import shown as alerts_shown
from web.features.incidents import service as incidents
from web.features.incidents.schemas import EvidenceOut, IncidentDetailOut, IncidentOut, IncidentsQuery
from web.features.incidents.service import IncidentFilter
from web.http import pagination
from web.http.auth import Caller
from web.http.errors import not_found
from web.http.extensions import db

TAG = "Incidents"


@route(
    "GET",
    "/incidents",
    tag=TAG,
    summary="List outages, the newest first",
    query=IncidentsQuery,
    answers=Page[IncidentOut],
)
def list_incidents(caller: Caller, query: IncidentsQuery) -> Page[IncidentOut]:
    wanted = IncidentFilter(monitor_id=query.monitor_id, open=query.open, since=query.since, until=query.until)
    found = incidents.matching(caller.project_id, wanted)
    now = datetime.now(UTC)
    rows = db.session.execute(found.limit(query.limit).offset(query.offset))
    return page_of([_shown(incident, monitor, now) for incident, monitor in rows], query, pagination.count(found))


@route(
    "GET",
    "/incidents/<uuid:incident_id>",
    tag=TAG,
    summary="Show an outage, the evidence of its first failure, and the alerts",
    answers=IncidentDetailOut,
)
def show_incident(caller: Caller, incident_id: UUID) -> IncidentDetailOut:
    found = incidents.find(caller.project_id, incident_id)
    if found is None:
        raise not_found("incident")
    incident, monitor = found
    brief = _shown(incident, monitor, datetime.now(UTC))
    return IncidentDetailOut(
        **brief.model_dump(),
        evidence=EvidenceOut.model_validate(incident.evidence) if incident.evidence else None,
        alerts=alerts_shown(history.alerts_of(incident)),
    )


def _shown(incident: Incident, monitor: Monitor, now: datetime) -> IncidentOut:
    return IncidentOut(
        id=incident.id,
        monitor_id=monitor.id,
        monitor_name=monitor.name,
        open=incident.ended_at is None,
        started_at=incident.started_at,
        ended_at=incident.ended_at,
        duration_seconds=round(max(0.0, ((incident.ended_at or now) - incident.started_at).total_seconds()), 3),
        error_code=incident.error_code,
        reason=incident.reason,
    )
