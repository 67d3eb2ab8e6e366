"""Warns of certificates that near their end: once for each threshold of each certificate, whoever sees it first.

The facts come with the outcome of an ordinary check. `Watch` costs a check two lookups; only where a threshold was
crossed does a message go out, and the database decides whether anybody was warned before.
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
    # The worker that runs the actor below has no use for probes and the libraries they bring along.
    from actors.probes.target import Target

log = structlog.get_logger(__name__)

#: After so long a process says again what it has said before: the message may have been lost, and repeating is harmless.
REPEAT_SECONDS = 3600
#: More certificates than this and the memory starts anew; what is said twice then is recorded once all the same.
LIMIT = 20_000


class Watch:
    """What one process has said of certificates near their end. Belongs to the engine's loop."""

    def __init__(self) -> None:
        self._said: dict[tuple[UUID, str], tuple[int, float]] = {}

    def crossed(self, target: "Target", certificate: Mapping[str, Any]) -> int | None:
        """The threshold that `certificate` has crossed, where this process has not said so lately."""
        first = target.config.get("sslDaysUntilExpirationWarning") or certificate_thresholds.FIRST
        if certificate["daysRemaining"] > first:
            return None
        found = certificate_thresholds.threshold(certificate["daysRemaining"], first)
        said = self._said.get((target.monitor_id, certificate["fingerprintSha256"]))
        now = time.monotonic()
        if found is None or (said is not None and said[0] <= found and now < said[1] + REPEAT_SECONDS):
            return None
        if len(self._said) >= LIMIT:
            self._said.clear()
        self._said[target.monitor_id, certificate["fingerprintSha256"]] = (found, now)
        return found

    async def say(self, target: "Target", threshold: int, certificate: Mapping[str, Any]) -> None:
        """Send what `crossed` has found; without a broker the next check finds it again."""
        try:
            await asyncio.to_thread(expiring.send, str(target.monitor_id), threshold, dict(certificate))
        except redis.RedisError:
            self._said.pop((target.monitor_id, certificate["fingerprintSha256"]), None)
            log.warning("a certificate's warning waits for the next check: the broker is away")


@dramatiq.actor(
    broker=broker, queue_name=queues.ALERTS, max_retries=8, min_backoff=200, max_backoff=5_000, time_limit=60_000
)
def expiring(monitor_id: str, threshold: int, certificate: dict[str, Any]) -> None:
    """Put the warning on record and into the outbox, unless one as urgent is there already; then `alert`."""
    alert_id, now = uuid4(), datetime.now(UTC)
    with transaction() as db:
        monitor = certificates.warn(db, UUID(monitor_id), certificate["fingerprintSha256"], threshold, now)
        if monitor is None:
            return
        outbox.add_alerts(db, [_alert(alert_id, UUID(monitor_id), monitor, certificate)])
    alert.send([str(alert_id)])


def _alert(alert_id: UUID, monitor_id: UUID, monitor: certificates.Warned, certificate: dict[str, Any]) -> NewAlert:
    expired = certificate["daysRemaining"] < 0
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
            "errorCode": "CERTIFICATE_EXPIRED" if expired else "CERTIFICATE_EXPIRING",
            "certificate": certificate,
        },
        correlation_id=current(),
    )
