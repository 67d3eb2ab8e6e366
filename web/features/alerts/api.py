"""/api/alerts: the alerts and their deliveries."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from models.tables import Alert, Delivery
from web.api.pagination import Page, page_of
from web.api.route import May, route
from web.features.alerts import history
from web.features.alerts import service as alerts
from web.features.alerts.history import AlertFilter
from web.features.alerts.schemas import (
    AlertOut,
    AlertsQuery,
    AlertStatus,
    AlertType,
    AttemptOut,
    DeliveryOut,
    DeliveryStatus,
    ProcessedOut,
)
from web.http import pagination
from web.http.auth import Caller
from web.http.errors import not_found
from web.http.extensions import db

TAG = "Alerts"


@route("GET", "/alerts", tag=TAG, summary="List alerts, the newest first", query=AlertsQuery, answers=Page[AlertOut])
def list_alerts(caller: Caller, query: AlertsQuery) -> Page[AlertOut]:
    wanted = AlertFilter(
        monitor_id=query.monitor_id,
        kind=query.type,
        status=query.status,
        words=query.q,
        provider_id=query.provider_id,
        since=query.since,
        until=query.until,
        undelivered=bool(query.undelivered),
    )
    found = history.alerts(caller.project_id, wanted)
    rows, total = pagination.fetch(found, query)
    return page_of(shown(rows), query, total)


@route("GET", "/alerts/<uuid:alert_id>", tag=TAG, summary="Show an alert", answers=AlertOut)
def show_alert(caller: Caller, alert_id: UUID) -> AlertOut:
    alert = db.session.scalar(history.alerts(caller.project_id, AlertFilter()).where(Alert.id == alert_id))
    if alert is None:
        raise not_found("alert")
    return shown([alert])[0]


@route(
    "POST",
    "/alerts/process",
    tag=TAG,
    summary="Process the project's pending alerts and deliveries",
    may=May.EDIT,
    answers=ProcessedOut,
)
def process_alerts(caller: Caller) -> ProcessedOut:
    return ProcessedOut(processed=alerts.process(caller))


def shown(alerts: Sequence[Alert]) -> list[AlertOut]:
    """Return `alerts` as responses."""
    incident_ids = history.incident_ids(alerts)
    return [
        AlertOut(
            id=alert.id,
            monitor_id=alert.monitor_id,
            monitor_name=alert.monitor_name,
            incident_id=incident_ids.get(alert.id),
            type=cast(AlertType, alert.type),
            alert_number=alert.alert_number,
            manual=alert.manual,
            status=cast(AlertStatus, alert.status),
            reason=alert.reason,
            suppressed_because=alert.suppressed_because,
            created_at=alert.created_at,
            deliveries=[shown_delivery(delivery) for delivery in alert.deliveries],
        )
        for alert in alerts
    ]


def shown_delivery(delivery: Delivery) -> DeliveryOut:
    """Return a delivery as a response."""
    return DeliveryOut(
        id=delivery.id,
        provider_id=delivery.provider_id,
        provider_name=delivery.provider_name,
        type=delivery.provider_type,
        status=cast(DeliveryStatus, delivery.status),
        attempts=delivery.attempts,
        error=delivery.error,
        duration_ms=delivery.duration_ms,
        sent_at=delivery.sent_at,
        next_attempt_at=delivery.next_attempt_at if delivery.status in ("pending", "retrying") else None,
        fallback_for=delivery.fallback_for,
        attempt_log=[AttemptOut.model_validate(attempt._asdict()) for attempt in delivery.attempt_log],
    )
