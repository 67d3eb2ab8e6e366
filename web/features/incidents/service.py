"""Queries of incidents, for the pages and the API."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select

from models.tables import Incident, Monitor
from web.http.extensions import db


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Filters of incidents; None filters nothing. An incident matches if it overlaps the time from `since` to `until`."""

    monitor_id: UUID | None = None
    open: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


def matching(project_id: UUID, wanted: IncidentFilter) -> Select[Incident, Monitor]:
    """Return the project's matching incidents with their monitors, newest first."""
    found = (
        select(Incident, Monitor)
        .join(Monitor, Monitor.id == Incident.monitor_id)
        .where(Monitor.project_id == project_id)
        .order_by(Incident.started_at.desc(), Incident.id)
    )
    if wanted.monitor_id is not None:
        found = found.where(Incident.monitor_id == wanted.monitor_id)
    if wanted.open is not None:
        found = found.where(Incident.ended_at.is_(None) if wanted.open else Incident.ended_at.is_not(None))
    if wanted.since is not None:
        found = found.where(or_(Incident.ended_at.is_(None), Incident.ended_at >= wanted.since))
    if wanted.until is not None:
        found = found.where(Incident.started_at < wanted.until)
    return found


def find(project_id: UUID, incident_id: UUID) -> tuple[Incident, Monitor] | None:
    """Return one of the project's incidents with its monitor, or None."""
    row = db.session.execute(matching(project_id, IncidentFilter()).where(Incident.id == incident_id)).one_or_none()
    return None if row is None else (row[0], row[1])
