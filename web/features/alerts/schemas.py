"""The alert history on the wire."""

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
    """One attempt of a delivery; `lost` are those whose worker did not live to say what came of them."""

    at: datetime
    duration_ms: float | None
    outcome: Literal["sent", "retrying", "failed", "lost"]
    error: str | None


class DeliveryOut(Out):
    """One alert to one provider; `type` and `providerName` outlive the provider.

    `fallbackFor` is the delivery that this one stands in for. `nextAttemptAt` is null once the delivery has ended.
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
    """Something that was to be told. A suppressed alert says in `suppressedBecause` why nobody was.

    With a reason that begins with `storm:` people are told by a later alert of type `summary`, which has no monitor; the
    alert may have deliveries to webhooks all the same, and its status is then theirs.

    `incidentId` is the outage that it is about; null for certificates and alerts by hand.
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
    """How many alerts and deliveries were driven on."""

    processed: int
