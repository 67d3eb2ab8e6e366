"""Alerts in the API: filters and responses."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from web.api.pagination import PageQuery
from web.api.schema import Out, Time

AlertType = Literal["monitor.down", "monitor.up", "monitor.ssl_expiring", "heartbeat.missed", "summary"]
AlertStatus = Literal["pending", "sent", "failed", "suppressed"]
DeliveryStatus = Literal["pending", "retrying", "sent", "failed"]


class AttemptOut(Out):
    """One attempt of a delivery. `lost` means that its worker stopped before it recorded the outcome."""

    at: datetime
    duration_ms: float | None
    outcome: Literal["sent", "retrying", "failed", "lost"]
    error: str | None


class DeliveryOut(Out):
    """One alert to one provider. `type` and `providerName` stay after the provider was deleted.

    `fallbackFor` is the delivery that this one replaces. `nextAttemptAt` is null once the delivery has ended.
    """

    id: UUID
    provider_id: UUID | None
    provider_name: str
    type: str
    status: DeliveryStatus
    attempts: int
    error: str | None
    #: How long the newest attempt took.
    duration_ms: float | None
    sent_at: datetime | None
    next_attempt_at: datetime | None
    fallback_for: UUID | None
    #: The newest attempts, in their order.
    attempt_log: list[AttemptOut]


class AlertOut(Out):
    """An alert. `suppressedBecause` says why a suppressed alert was not sent.

    If it begins with `storm:`, a later alert of type `summary`, which has no monitor, notifies people. Webhooks may still
    get this alert, whose status is then that of their deliveries.

    `incidentId` is the alert's incident; null for certificate warnings and manual alerts.
    """

    id: UUID
    monitor_id: UUID | None
    monitor_name: str
    incident_id: UUID | None
    type: AlertType
    alert_number: int | None
    manual: bool
    status: AlertStatus
    reason: str
    suppressed_because: str | None
    created_at: datetime
    deliveries: list[DeliveryOut]


class AlertsQuery(PageQuery):
    """Filters: `q` looks in the monitor's name and the reason; `providerId`: alerts with a delivery to it; `undelivered`:
    those of which a delivery failed; `from` and `to` bound the time of the alert.
    """

    monitor_id: UUID | None = None
    type: AlertType | None = None
    status: AlertStatus | None = None
    q: str | None = Field(default=None, max_length=255)
    provider_id: UUID | None = None
    undelivered: bool | None = None
    since: Time | None = Field(default=None, alias="from")
    until: Time | None = Field(default=None, alias="to")


class ProcessedOut(Out):
    """How many alerts and deliveries were processed."""

    processed: int
