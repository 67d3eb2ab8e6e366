"""/api/dead-letters: what could not be delivered, and why; each can be tried anew."""

from typing import cast
from uuid import UUID

from models.tables import Delivery
from web.api.pagination import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.alerts.api import shown_delivery
from web.features.alerts.schemas import AlertType, DeadLetterOut, DeliveryOut
from web.features.failed_deliveries import service as deliveries
from web.http import pagination
from web.http.auth import Caller

TAG = "Alerts"


@route(
    "GET",
    "/dead-letters",
    tag=TAG,
    summary="List deliveries that have failed for good, the newest first",
    query=PageQuery,
    answers=Page[DeadLetterOut],
)
def list_dead_letters(caller: Caller, query: PageQuery) -> Page[DeadLetterOut]:
    rows, total = pagination.fetch(deliveries.dead(caller.project_id), query)
    return page_of([_shown(row) for row in rows], query, total)


@route(
    "POST",
    "/deliveries/<uuid:delivery_id>/retry",
    tag=TAG,
    summary="Try a failed delivery anew, under the same id",
    may=May.EDIT,
    answers=DeliveryOut,
    status=202,
)
def retry_delivery(caller: Caller, delivery_id: UUID) -> DeliveryOut:
    return shown_delivery(deliveries.retry(caller, delivery_id))


def _shown(one: Delivery) -> DeadLetterOut:
    log = one.attempt_log
    return DeadLetterOut(
        id=one.id,
        alert_id=one.alert_id,
        alert_type=cast(AlertType, one.alert.type),
        alert_reason=one.alert.reason,
        monitor_id=one.alert.monitor_id,
        monitor_name=one.alert.monitor_name,
        provider_id=one.provider_id,
        provider_name=one.provider_name,
        type=one.provider_type,
        error=one.error,
        attempts=one.attempts,
        created_at=one.created_at,
        failed_at=log[-1].at if log else None,
    )
