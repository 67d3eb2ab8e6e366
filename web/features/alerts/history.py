"""Alerts and incidents as lists: the statements that pages and the API share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import selectinload

from models.tables import Alert, Delivery, Incident, Monitor
from web.http.extensions import db


@dataclass(frozen=True, slots=True, kw_only=True)
class Outages:
    """What is asked of incidents; None asks nothing. `since` and `until` bound a time that the outage lasted into."""

    monitor_id: UUID | None = None
    open: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """What is asked of alerts; empty values ask nothing.

    `words` are looked for in the monitor's name and the reason. `since` and `until` bound the time of the alert.
    `undelivered`: a delivery failed. `without_limit` leaves out the records that the limit of an outage was reached.
    """

    monitor_id: UUID | None = None
    kind: str | None = None
    status: str | None = None
    words: str | None = None
    provider_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    undelivered: bool = False
    without_limit: bool = False


def alerts(project_id: UUID, wanted: AlertFilter) -> Select[Alert]:
    """The project's alerts that fit, the newest first, each with its deliveries."""
    found = (
        select(Alert)
        .where(Alert.project_id == project_id)
        .order_by(Alert.created_at.desc(), Alert.id.desc())
        .options(selectinload(Alert.deliveries))
    )
    equal = {Alert.monitor_id: wanted.monitor_id, Alert.type: wanted.kind, Alert.status: wanted.status}
    found = found.where(*(column == value for column, value in equal.items() if value))
    if words := (wanted.words or "").strip():
        found = found.where(or_(*(one.icontains(words, autoescape=True) for one in (Alert.monitor_name, Alert.reason))))
    if wanted.provider_id is not None:
        found = found.where(Alert.deliveries.any(Delivery.provider_id == wanted.provider_id))
    if wanted.undelivered:
        found = found.where(Alert.deliveries.any(Delivery.status == "failed"))
    if wanted.since is not None:
        found = found.where(Alert.created_at >= wanted.since)
    if wanted.until is not None:
        found = found.where(Alert.created_at < wanted.until)
    if wanted.without_limit:
        found = found.where(func.coalesce(Alert.suppressed_because, "").not_like("limit:%"))
    return found


def incidents(project_id: UUID, wanted: Outages) -> Select[Incident, Monitor]:
    """The project's incidents that fit, with their monitors, the newest first."""
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


def incident(project_id: UUID, incident_id: UUID) -> tuple[Incident, Monitor] | None:
    """One of the project's incidents with its monitor."""
    row = db.session.execute(incidents(project_id, Outages()).where(Incident.id == incident_id)).one_or_none()
    return None if row is None else (row[0], row[1])


def alerts_of(incident: Incident) -> Sequence[Alert]:
    """What was told of an incident, in its order."""
    return db.session.scalars(
        select(Alert)
        .where(Alert.monitor_id == incident.monitor_id, Alert.failure_sequence == incident.failure_sequence)
        .order_by(Alert.created_at, Alert.id)
        .options(selectinload(Alert.deliveries))
    ).all()


def incident_ids(shown: Sequence[Alert]) -> dict[UUID, UUID]:
    """Alert id -> id of the incident that it is about; certificates and alerts by hand are about none. One query."""
    keys = {(one.monitor_id, one.failure_sequence): None for one in shown if one.monitor_id and one.failure_sequence}
    if not keys:
        return {}
    columns = (Incident.monitor_id, Incident.failure_sequence)
    rows = db.session.execute(select(*columns, Incident.id).where(tuple_(*columns).in_(list(keys))))
    found: dict[tuple[UUID | None, int | None], UUID] = {(row[0], row[1]): row[2] for row in rows}
    named = ((one.id, found.get((one.monitor_id, one.failure_sequence))) for one in shown)
    return {alert_id: incident_id for alert_id, incident_id in named if incident_id is not None}
