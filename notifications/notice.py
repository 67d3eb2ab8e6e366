"""What a channel is given, and the one error that it may raise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class NoticeMonitor:
    """The monitor a notice is about; `url` is its page."""

    id: UUID
    name: str
    type: str
    target: str
    url: str


@dataclass(frozen=True, slots=True)
class NoticeLocation:
    """What one location measured in the deciding round."""

    location: str
    status: str
    response_time_ms: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class NoticeChange:
    """One line of a summary: what became of one monitor; `url` is its page."""

    name: str
    url: str
    event: str
    status: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """Everything one message tells, channel apart.

    `event` is `monitor.down`, `monitor.up`, `monitor.ssl_expiring`, `heartbeat.missed`, `test`, or `summary`, which tells
    people of many `changes` at once; its `monitor.url` is the dashboard. Datetimes are aware and UTC.
    `delivery_id` stays the same at every retry. `alert_number` is 1 to 3 on failures, None on recoveries.
    On a recovery `down_since` and `down_for_seconds` tell of the outage that ended.
    """

    event: str
    alert_id: UUID | None
    delivery_id: UUID
    sent_at: datetime
    monitor: NoticeMonitor
    status: str
    previous_status: str | None
    reason: str
    error_code: str | None
    response_time_ms: float | None
    checked_at: datetime | None
    consecutive_failure_count: int
    alert_number: int | None
    locations: tuple[NoticeLocation, ...]
    down_since: datetime | None
    down_for_seconds: int | None
    custom_message: str
    project: str
    #: API.md's `sslCertificate`, where the notice is about a certificate.
    certificate: Mapping[str, Any] | None = None
    #: What the target answered, and API.md's `timings` of it, where the deciding location knows them.
    status_code: int | None = None
    timings: Mapping[str, float] | None = None
    #: Of a failure that is told late: when the outage was over already.
    ended_at: datetime | None = None
    #: The page of the incident that the notice belongs to.
    incident_url: str | None = None
    #: What a summary of many monitors tells, the newest last.
    changes: tuple[NoticeChange, ...] = ()


class NotificationError(Exception):
    """A message did not get through; `str()` is for the user and holds no secret.

    `permanent` tells that a retry cannot help (404, revoked token): the channel is marked.
    `retry_after` is what the service asked for, in seconds. `outage` tells that the service is away or broken, and did
    not merely refuse this message: what is not permanent is one, unless the sender says otherwise.
    """

    def __init__(
        self, message: str, *, permanent: bool, retry_after: float | None = None, outage: bool | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.outage = not permanent if outage is None else outage


#: A channel: sends the notice with the provider's config (secrets in the clear), returns when the service took it,
#: raises `NotificationError`.
Sender = Callable[[Notice, Mapping[str, Any]], None]
