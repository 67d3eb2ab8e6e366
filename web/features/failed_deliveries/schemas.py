"""Failed deliveries in the API: responses."""

from datetime import datetime
from uuid import UUID

from web.api.schema import Out
from web.features.alerts.schemas import AlertType


class FailedDeliveryOut(Out):
    """A delivery that failed permanently, and its alert. `failedAt` is null if it was not recorded."""

    id: UUID
    alert_id: UUID
    alert_type: AlertType
    alert_reason: str
    monitor_id: UUID | None
    monitor_name: str
    provider_id: UUID | None
    provider_name: str
    type: str
    error: str | None
    attempts: int
    created_at: datetime
    failed_at: datetime | None
