"""/api/failed-deliveries: deliveries that failed permanently. Each can be retried."""

from typing import Any, cast
from uuid import UUID

from models.tables import Delivery
from web.api.pagination import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.alerts.api import shown_delivery
from web.features.alerts.schemas import AlertType, DeliveryOut
from web.features.failed_deliveries import service as deliveries
from web.features.failed_deliveries.schemas import FailedDeliveryOut
from web.http import pagination
from web.http.auth import Caller

TAG = "Alerts"


_LIST: dict[str, Any] = {
    "tag": TAG,
    "summary": "List deliveries that failed permanently, newest first",
    "query": PageQuery,
    "answers": Page[FailedDeliveryOut],
}


#: `/dead-letters` is the former path.
@route("GET", "/dead-letters", **_LIST)
@route("GET", "/failed-deliveries", **_LIST)
def list_failed_deliveries(caller: Caller, query: PageQuery) -> Page[FailedDeliveryOut]:
    rows, total = pagination.fetch(deliveries.failed(caller.project_id), query)
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
def retry_delivery(caller: Caller, delivery_id: UUID) -> DeliveryOut:
    return shown_delivery(deliveries.retry(caller, delivery_id))


def _shown(delivery: Delivery) -> FailedDeliveryOut:
    log = delivery.attempt_log
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
        failed_at=log[-1].at if log else None,
    )
