"""/api/alerts: what was told, to whom, and with what success."""

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
    summary="Drive on the project's alerts whose delivery is pending",
    may=May.EDIT,
    answers=ProcessedOut,
)
def process_alerts(caller: Caller) -> ProcessedOut:
    return ProcessedOut(processed=alerts.process(caller))


def shown(alerts: Sequence[Alert]) -> list[AlertOut]:
    """`alerts` as the wire shows them."""
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
            deliveries=[shown_delivery(one) for one in alert.deliveries],
        )
        for alert in alerts
    ]


def shown_delivery(one: Delivery) -> DeliveryOut:
    """A delivery as the wire shows it."""
    return DeliveryOut(
        id=one.id,
        provider_id=one.provider_id,
        provider_name=one.provider_name,
        type=one.provider_type,
        status=cast(DeliveryStatus, one.status),
        attempts=one.attempts,
        error=one.error,
        duration_ms=one.duration_ms,
        sent_at=one.sent_at,
        next_attempt_at=one.next_attempt_at if one.status in ("pending", "retrying") else None,
        fallback_for=one.fallback_for,
        attempt_log=[AttemptOut.model_validate(made._asdict()) for made in one.attempt_log],
    )
