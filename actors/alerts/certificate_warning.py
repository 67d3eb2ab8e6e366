"""Warns of certificates that expire soon: once per threshold, certificate and monitor.

The certificate comes with the outcome of an ordinary check. `ExpiryTracker` costs a check two lookups. A message is sent
only if a threshold was crossed, and the database decides whether the warning is new.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import dramatiq
import redis
import structlog

from actors import queues
from actors.alerts import certificate_thresholds
from actors.alerts.alert import alert
from actors.broker import broker
from actors.runtime.correlation import current
from models.connections.database import transaction
from models.queries import certificates, outbox
from models.queries.outbox import NewAlert

if TYPE_CHECKING:
    # The worker of the actor below does not need the probes and their libraries.
    from actors.probes.target import Target

log = structlog.get_logger(__name__)

#: A process repeats its message after this time, because the first one may have been lost. A repeated message is ignored.
REPEAT_SECONDS = 3600
#: The memory is cleared when it holds this many certificates. Messages that are then repeated are ignored.
MAX_CERTIFICATES = 20_000


class ExpiryTracker:
    """Remembers which warnings this process has sent. Use it on the engine's event loop only."""

    def __init__(self) -> None:
        self._sent: dict[tuple[UUID, str], tuple[int, float]] = {}

    def crossed_threshold(self, target: "Target", certificate: Mapping[str, Any]) -> int | None:
        """Return the threshold that `certificate` has crossed; None if there is none or it was sent recently."""
        first = target.config.get("sslDaysUntilExpirationWarning") or certificate_thresholds.FIRST
        if certificate["daysRemaining"] > first:
            return None
        threshold = certificate_thresholds.threshold(certificate["daysRemaining"], first)
        key = (target.monitor_id, certificate["fingerprintSha256"])
        sent = self._sent.get(key)
        now = time.monotonic()
        if threshold is None or (sent is not None and sent[0] <= threshold and now < sent[1] + REPEAT_SECONDS):
            return None
        if len(self._sent) >= MAX_CERTIFICATES:
            self._sent.clear()
        self._sent[key] = (threshold, now)
        return threshold

    async def send(self, target: "Target", threshold: int, certificate: Mapping[str, Any]) -> None:
        """Send the warning. If the broker is down, the next check sends it."""
        try:
            await asyncio.to_thread(certificate_warning.send, str(target.monitor_id), threshold, dict(certificate))
        except redis.RedisError:
            self._sent.pop((target.monitor_id, certificate["fingerprintSha256"]), None)
            log.warning("the broker is down: the next check sends the certificate warning")


@dramatiq.actor(
    broker=broker, queue_name=queues.ALERTS, max_retries=8, min_backoff=200, max_backoff=5_000, time_limit=60_000
)
def certificate_warning(monitor_id: str, threshold: int, certificate: dict[str, Any]) -> None:
    """Record the warning with its alert and send `alert`. Do nothing if an equal or more urgent warning is recorded."""
    alert_id, now = uuid4(), datetime.now(UTC)
    with transaction() as db:
        monitor = certificates.record_warning(db, UUID(monitor_id), certificate["fingerprintSha256"], threshold, now)
        if monitor is None:
            return
        outbox.add_alerts(db, [_alert(alert_id, UUID(monitor_id), monitor, certificate)])
    alert.send([str(alert_id)])


def _alert(
    alert_id: UUID, monitor_id: UUID, monitor: certificates.WarnedMonitor, certificate: dict[str, Any]
) -> NewAlert:
    is_expired = certificate["daysRemaining"] < 0
    return NewAlert(
        id=alert_id,
        project_id=monitor.project_id,
        monitor_id=monitor_id,
        monitor_name=monitor.name,
        type="monitor.ssl_expiring",
        failure_sequence=None,
        alert_number=None,
        reason=certificate_thresholds.sentence(certificate),
        context={
            "status": monitor.status,
            "errorCode": "CERTIFICATE_EXPIRED" if is_expired else "CERTIFICATE_EXPIRING",
            "certificate": certificate,
        },
        correlation_id=current(),
    )
