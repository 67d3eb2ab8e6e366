"""The input of a channel, and the only error that it may raise."""

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
    """The result of one location in the round that decided the alert."""

    location: str
    status: str
    response_time_ms: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class NoticeChange:
    """One line of a summary: the alert of one monitor; `url` is the monitor's page."""

    name: str
    url: str
    event: str
    status: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """The content of one message, independent of the channel.

    `event` is `monitor.down`, `monitor.up`, `monitor.ssl_expiring`, `heartbeat.missed`, `test`, or `summary`. A summary
    lists many `changes` for human channels; its `monitor.url` is the page of alerts. Datetimes are aware and UTC.
    `delivery_id` stays the same at every retry. `alert_number` is 1 to 3 on failures, None on recoveries.
    On a recovery `down_since` and `down_for_seconds` describe the outage that ended.
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
    #: API.md's `sslCertificate` if the notice is about a certificate.
    certificate: Mapping[str, Any] | None = None
    #: The HTTP status of the target and API.md's `timings`, if the deciding location measured them.
    status_code: int | None = None
    timings: Mapping[str, float] | None = None
    #: When the outage ended, on a failure alert that is sent late; else None.
    ended_at: datetime | None = None
    #: The page of the incident.
    incident_url: str | None = None
    #: The alerts of a summary, the newest last.
    changes: tuple[NoticeChange, ...] = ()


class NotificationError(Exception):
    """A message was not delivered. `str()` is shown to the user and contains no secret.

    `permanent` means that a retry cannot help (404, revoked token); the provider is marked as broken.
    `retry_after` is the delay in seconds that the service asked for. `outage` means that the service is down or broken,
    as opposed to one that refuses this message; the default is True for errors that are not permanent.
    """

    def __init__(
        self, message: str, *, permanent: bool, retry_after: float | None = None, outage: bool | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.outage = not permanent if outage is None else outage


#: A sender of a channel: sends the notice with the provider's decrypted config. Returns when the service has accepted the
#: message. Raises `NotificationError`.
Sender = Callable[[Notice, Mapping[str, Any]], None]
