"""/api/failed-deliveries: deliveries that failed permanently, and why; each can be retried."""

from typing import cast
from uuid import UUID

from models.tables import Delivery
from web.api.lists import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.alerts.api import shown_delivery
from web.features.alerts.schemas import AlertType, DeliveryOut, FailedDeliveryOut
from web.features.failed_deliveries import service
from web.http import pagination
from web.http.auth import Caller

TAG = "Alerts"


@route(
    "GET",
    "/failed-deliveries",
    tag=TAG,
    summary="List deliveries that failed permanently, the newest first",
    query=PageQuery,
    answers=Page[FailedDeliveryOut],
)
def list_failed_deliveries(who: Caller, query: PageQuery) -> Page[FailedDeliveryOut]:
    rows, total = pagination.fetch(service.failed(who.project_id), query)
    return page_of([_shown(row) for row in rows], query, total)


@route(
    "GET",
    "/dead-letters",
    tag=TAG,
    summary="Alias of /failed-deliveries, for clients of earlier versions",
    query=PageQuery,
    answers=Page[FailedDeliveryOut],
)
def list_dead_letters(who: Caller, query: PageQuery) -> Page[FailedDeliveryOut]:
    rows, total = pagination.fetch(service.failed(who.project_id), query)
    return page_of([_shown(row) for row in rows], query, total)


@route(
    "POST",
    "/deliveries/<uuid:delivery_id>/retry",
    tag=TAG,
    summary="Retry a failed delivery under the same id",
    may=May.EDIT,
    answers=DeliveryOut,
    status=202,
)
def retry_delivery(who: Caller, delivery_id: UUID) -> DeliveryOut:
    return shown_delivery(service.retry(who, delivery_id))


def _shown(delivery: Delivery) -> FailedDeliveryOut:
    attempts = delivery.attempt_log
    return FailedDeliveryOut(
        id=delivery.id,
        alert_id=delivery.alert_id,
        alert_type=cast(AlertType, delivery.alert.type),
        alert_reason=delivery.alert.reason,
        monitor_id=delivery.alert.monitor_id,
        monitor_name=delivery.alert.monitor_name,
        provider_id=delivery.provider_id,
        provider_name=delivery.provider_name,
        type=delivery.provider_type,
        error=delivery.error,
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        failed_at=attempts[-1].at if attempts else None,
    )
