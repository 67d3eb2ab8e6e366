"""Sends one alert to one channel and records what came of it.

Exactly once, short of a crash between the service's answer and our commit; then once more, with the same delivery id.
"""

import random
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from threading import BoundedSemaphore
from typing import TypeVar
from uuid import UUID

import dramatiq
import redis
import structlog

from actors import queues
from actors.alerts import backoff, circuit_breakers, rate_limit
from actors.alerts.delivery_threads import threads
from actors.alerts.notice import notice_of
from actors.broker import broker
from actors.runtime import credential_uses, telemetry
from models.connections.database import UNAVAILABLE, Db, transaction
from models.queries import deliveries, delivery_capacity
from models.queries.audit import CredentialUse
from models.queries.deliveries import Attempt, Claimed
from models.secrets.encryption import DecryptionError
from notifications.notice import NotificationError

log = structlog.get_logger(__name__)

#: So long the record of an attempt is tried again while the database is away; the longest attempt and this stay within
#: the claim's lease, or the sweep would have the message sent twice.
RECORD_SECONDS = 25.0
RETRY_SECONDS = 0.5

#: Deliveries never take the connections that the process's verdicts need.
_connections = BoundedSemaphore(6)

Answer = TypeVar("Answer")


@dramatiq.actor(
    broker=broker, queue_name=queues.DELIVERIES, max_retries=3, min_backoff=500, max_backoff=5_000, time_limit=90_000
)
def deliver(delivery_id: str) -> None:
    """Make one attempt; what must be tried again stands in the row, and the sweep finds it."""
    with threads.one():
        # A claim that a crash takes back is the crash between call and record: the message goes out once more, under the
        # same id.
        with _connections, transaction(durable=False, pipelined=True) as db:
            claimed = deliveries.claim(db, UUID(delivery_id), broker.broker_id, threads.share())
        if claimed is None:
            return
        _try(claimed)
        _send_next(claimed)


def _try(claimed: Claimed) -> None:
    """Make one attempt, or put it off, and record what came of it."""
    began = datetime.now(UTC)
    if claimed.config is None:
        _record(claimed, NotificationError("The provider was deleted.", permanent=True), began, 0)
        return
    turn = _turn(claimed, began)
    if turn is not None:
        _defer(claimed, turn, "Waits for its turn: this provider gets only so many messages a minute.")
        return
    clock = time.monotonic()
    failure = attempt(claimed)
    if isinstance(failure, circuit_breakers.Spared):
        _defer(claimed, began + timedelta(seconds=failure.retry_after or 0), str(failure))
        return
    _record(claimed, failure, began, (time.monotonic() - clock) * 1000)


def send_deliveries(delivery_ids: Iterable[UUID]) -> None:
    """Send `deliver` for each, in one round trip. Raises redis' errors."""
    broker.enqueue_many(deliver.message(str(delivery_id)) for delivery_id in delivery_ids)


def attempt(claimed: Claimed) -> NotificationError | None:
    """One call to the service; answers its failure, None where it took the message."""
    # Here and not above: every process that sends to this actor imports it, and only the one that runs it needs channels.
    from notifications import SENDERS

    try:
        config = claimed.clear_config()
        if claimed.sealed is not None and claimed.provider_id is not None:
            credential_uses.record([CredentialUse("provider", claimed.provider_id, "delivery")])
        with circuit_breakers.around(claimed.provider_type, config):
            SENDERS[claimed.provider_type](notice_of(claimed, datetime.now(UTC)), config)
    except NotificationError as failure:
        return failure
    except DecryptionError:
        return NotificationError("The stored credentials do not open; enter them again.", permanent=True)
    except Exception as error:  # noqa: BLE001
        # A fault of ours: recorded like any failure, so that it is retried in growing steps and not for ever.
        # Its text stays out of everything: it may hold the channel's credentials.
        name = type(error).__name__
        log.error("a sender failed", delivery_id=str(claimed.id), provider=claimed.provider_type, error=name)
        return NotificationError(f"The message could not be made ({name}).", permanent=False)
    return None


def _send_next(claimed: Claimed) -> None:
    """Send on what waited for the place of `claimed`; where that fails, the sweep finds it."""
    try:
        with _connections, transaction(durable=False, pipelined=True) as db:
            waiting = delivery_capacity.next_waiting(db, claimed.project_id, threads.share())
        send_deliveries(waiting)
    except (*UNAVAILABLE, redis.RedisError):
        log.warning("what waits for a place is left to the sweep", project_id=str(claimed.project_id))


def _turn(claimed: Claimed, now: datetime) -> datetime | None:
    """When the provider may be sent this message; None at once. Without Redis nobody counts: late is worse than much."""
    if claimed.provider_id is None or claimed.provider_type not in rate_limit.PER_MINUTE:
        return None
    asker = f"{claimed.id}:{claimed.attempts}"
    try:
        return rate_limit.take(
            broker.client, claimed.provider_id, claimed.provider_type, claimed.max_per_minute, asker, now
        )
    except redis.RedisError:
        return None


def _defer(claimed: Claimed, until: datetime, why: str) -> None:
    """Put the delivery off, uncounted; the sweep finds it when its time has come."""
    _insist(claimed, lambda db: deliveries.deferred(db, claimed, until, why))
    log.info("delivery", delivery_id=str(claimed.id), outcome="deferred", until=until.isoformat())


def _record(claimed: Claimed, failure: NotificationError | None, began: datetime, duration_ms: float) -> None:
    """Record the attempt, and hand its message to whoever stands in."""
    made = Attempt(began, duration_ms, str(failure) if failure else None)
    outcome, stand_ins = _insist(claimed, lambda db: _write(db, claimed, failure, made))
    telemetry.DELIVERIES.labels(claimed.provider_type, outcome).inc()
    log.info("delivery", delivery_id=str(claimed.id), outcome=outcome, attempt=claimed.attempts, error=made.error)
    send_deliveries(stand_ins)


def _insist(claimed: Claimed, write: Callable[[Db], Answer]) -> Answer:
    """`write` in a transaction, as often as it takes: the call is made, so a restart of the database must not repeat it."""
    until = time.monotonic() + RECORD_SECONDS
    while True:
        try:
            with _connections, transaction(pipelined=True) as db:
                return write(db)
        except UNAVAILABLE:
            if time.monotonic() > until:
                raise
            log.warning("an attempt waits for the database to be recorded", delivery_id=str(claimed.id))
            time.sleep(RETRY_SECONDS)


def _write(db: Db, claimed: Claimed, failure: NotificationError | None, made: Attempt) -> tuple[str, list[UUID]]:
    """What came of the attempt (sent, retrying or failed), and the deliveries that stand in. Raises psycopg's errors."""
    if failure is None:
        deliveries.succeeded(db, claimed, made)
        return "sent", []
    again = None
    if not failure.permanent:
        now = datetime.now(UTC)
        again = backoff.next_attempt(claimed.attempts, claimed.created_at, now, failure.retry_after, random.random)
    if again is None:
        return "failed", deliveries.failed(db, claimed, made, broken=failure.permanent)
    deliveries.postponed(db, claimed, made, again)
    return "retrying", []
