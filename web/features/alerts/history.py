"""Queries of alerts, for the pages and the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import selectinload

from models.tables import Alert, Delivery, Incident
from web.http.extensions import db


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Filters of alerts; empty values filter nothing.

    `words` are searched in the monitor's name and the reason. `since` and `until` limit the time of the alert.
    `undelivered`: a delivery failed. `without_limit` leaves out alerts that were not sent because their outage had
    reached its limit.
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
    """Return the project's matching alerts with their deliveries, newest first."""
    found = (
        select(Alert)
        .where(Alert.project_id == project_id)
        .order_by(Alert.created_at.desc(), Alert.id.desc())
        .options(selectinload(Alert.deliveries))
    )
    equal = {Alert.monitor_id: wanted.monitor_id, Alert.type: wanted.kind, Alert.status: wanted.status}
    found = found.where(*(column == value for column, value in equal.items() if value))
    if words := (wanted.words or "").strip():
        found = found.where(
            or_(*(column.icontains(words, autoescape=True) for column in (Alert.monitor_name, Alert.reason)))
        )
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


def alerts_of(incident: Incident) -> Sequence[Alert]:
    """Return the alerts of an incident in the order of their times."""
    return db.session.scalars(
        select(Alert)
        .where(Alert.monitor_id == incident.monitor_id, Alert.failure_sequence == incident.failure_sequence)
        .order_by(Alert.created_at, Alert.id)
        .options(selectinload(Alert.deliveries))
    ).all()


def incident_ids(shown: Sequence[Alert]) -> dict[UUID, UUID]:
    """Return {alert id: incident id} with one query. Certificate warnings and manual alerts have no incident."""
    keys = {
        (alert.monitor_id, alert.failure_sequence): None
        for alert in shown
        if alert.monitor_id and alert.failure_sequence
    }
    if not keys:
        return {}
    columns = (Incident.monitor_id, Incident.failure_sequence)
    rows = db.session.execute(select(*columns, Incident.id).where(tuple_(*columns).in_(list(keys))))
    found: dict[tuple[UUID | None, int | None], UUID] = {(row[0], row[1]): row[2] for row in rows}
    named = ((alert.id, found.get((alert.monitor_id, alert.failure_sequence))) for alert in shown)
    return {alert_id: incident_id for alert_id, incident_id in named if incident_id is not None}
