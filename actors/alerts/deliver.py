"""Sends one alert to one provider and records the result.

An alert is delivered exactly once, unless the process crashes between the service's response and the commit. Then it is
delivered once more, with the same delivery id.
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
from channels import CHANNELS
from models.connections.database import UNAVAILABLE, Db, transaction
from models.queries import deliveries, delivery_capacity
from models.queries.audit import CredentialUse
from models.queries.deliveries import Attempt, ClaimedDelivery
from models.secrets.encryption import DecryptionError
from notifications.notice import NotificationError

log = structlog.get_logger(__name__)

#: How long to retry recording an attempt while the database is down. The longest attempt and this together are shorter
#: than the claim's lease; otherwise the sweep would send the message again.
RECORD_SECONDS = 25.0
RETRY_SECONDS = 0.5

#: Limits the connections that deliveries use, so that verdicts in the same process always get one.
_connections = BoundedSemaphore(6)

Result = TypeVar("Result")


@dramatiq.actor(
    broker=broker, queue_name=queues.DELIVERIES, max_retries=3, min_backoff=500, max_backoff=5_000, time_limit=90_000
)
def deliver(delivery_id: str) -> None:
    """Make one attempt. The time of the next attempt is stored with the delivery, and the sweep sends it again then."""
    with threads.busy():
        # Losing this commit in a crash is like crashing after the call: the message is sent again under the same id.
        with _connections, transaction(durable=False, pipelined=True) as db:
            delivery = deliveries.claim(db, UUID(delivery_id), broker.broker_id, threads.share())
        if delivery is None:
            return
        _process(delivery)
        _send_waiting(delivery)


def _process(delivery: ClaimedDelivery) -> None:
    """Make one attempt, or defer it, and record the result."""
    began = datetime.now(UTC)
    if delivery.config is None:
        _record(delivery, NotificationError("The provider was deleted.", permanent=True), began, 0)
        return
    send_at = _send_at(delivery, began)
    if send_at is not None:
        _defer(delivery, send_at, "Queued: this provider's limit of messages a minute is reached.")
        return
    clock = time.monotonic()
    failure = attempt(delivery)
    if isinstance(failure, circuit_breakers.CircuitOpen):
        _defer(delivery, began + timedelta(seconds=failure.retry_after or 0), str(failure))
        return
    _record(delivery, failure, began, (time.monotonic() - clock) * 1000)


def send_deliveries(delivery_ids: Iterable[UUID]) -> None:
    """Enqueue `deliver` for each delivery in one round trip. Raise redis' errors."""
    broker.enqueue_many(deliver.message(str(delivery_id)) for delivery_id in delivery_ids)


def attempt(delivery: ClaimedDelivery) -> NotificationError | None:
    """Call the service once. Return the failure, or None if the service accepted the message."""
    # Imported here: every process that sends to this actor imports this module, and only its worker needs the channels.
    from notifications import SENDERS

    try:
        config = delivery.decrypted_config()
        if delivery.sealed is not None and delivery.provider_id is not None:
            credential_uses.record([CredentialUse("provider", delivery.provider_id, "delivery")])
        with circuit_breakers.guard(delivery.provider_type, config):
            SENDERS[delivery.provider_type](notice_of(delivery, datetime.now(UTC)), config)
    except NotificationError as failure:
        return failure
    except DecryptionError:
        return NotificationError("The stored credentials cannot be decrypted. Enter them again.", permanent=True)
    except Exception as error:  # noqa: BLE001
        # A bug in a sender is recorded like any failure, so that it is retried with backoff and given up after a day.
        # Only the error's type is logged: its text may contain the provider's credentials.
        name = type(error).__name__
        log.error("sender failed", delivery_id=str(delivery.id), provider=delivery.provider_type, error=name)
        return NotificationError(f"The message could not be created ({name}).", permanent=False)
    return None


def _send_waiting(delivery: ClaimedDelivery) -> None:
    """Enqueue deliveries that waited for the capacity that `delivery` used. If this fails, the sweep sends them."""
    try:
        with _connections, transaction(durable=False, pipelined=True) as db:
            waiting = delivery_capacity.next_waiting(db, delivery.project_id, threads.share())
        send_deliveries(waiting)
    except (*UNAVAILABLE, redis.RedisError):
        log.warning("waiting deliveries are left to the sweep", project_id=str(delivery.project_id))


def _send_at(delivery: ClaimedDelivery, now: datetime) -> datetime | None:
    """Return when the rate limit allows this message; None for now. If Redis is down, skip rate limiting rather than delay the alert."""
    if delivery.provider_id is None or delivery.provider_type not in CHANNELS:
        return None
    request_id = f"{delivery.id}:{delivery.attempts}"
    try:
        return rate_limit.reserve(
            broker.client, delivery.provider_id, delivery.provider_type, delivery.max_per_minute, request_id, now
        )
    except redis.RedisError:
        return None


def _defer(delivery: ClaimedDelivery, until: datetime, reason: str) -> None:
    """Postpone the delivery without counting an attempt; the sweep sends it at `until`."""
    _save(delivery, lambda db: deliveries.defer(db, delivery, until, reason))
    log.info("delivery", delivery_id=str(delivery.id), outcome="deferred", until=until.isoformat())


def _record(delivery: ClaimedDelivery, failure: NotificationError | None, began: datetime, duration_ms: float) -> None:
    """Record the attempt and send the deliveries of a fallback provider, if there are any."""
    made = Attempt(began, duration_ms, str(failure) if failure else None)
    outcome, fallback_ids = _save(delivery, lambda db: _write(db, delivery, failure, made))
    telemetry.DELIVERIES.labels(delivery.provider_type, outcome).inc()
    log.info("delivery", delivery_id=str(delivery.id), outcome=outcome, attempt=delivery.attempts, error=made.error)
    send_deliveries(fallback_ids)


def _save(delivery: ClaimedDelivery, write: Callable[[Db], Result]) -> Result:
    """Run `write` in a transaction and return its result.

    Retry while the database is down: the service has the message, so a restart of the database must not repeat it.
    """
    give_up_at = time.monotonic() + RECORD_SECONDS
    while True:
        try:
            with _connections, transaction(pipelined=True) as db:
                return write(db)
        except UNAVAILABLE:
            if time.monotonic() > give_up_at:
                raise
            log.warning("recording an attempt waits for the database", delivery_id=str(delivery.id))
            time.sleep(RETRY_SECONDS)


def _write(
    db: Db, delivery: ClaimedDelivery, failure: NotificationError | None, made: Attempt
) -> tuple[str, list[UUID]]:
    """Write the attempt. Return its outcome (sent, retrying or failed) and the fallback's deliveries. Raise psycopg's errors."""
    if failure is None:
        deliveries.record_success(db, delivery, made)
        return "sent", []
    retry_at = None
    if not failure.permanent:
        now = datetime.now(UTC)
        retry_at = backoff.next_attempt(delivery.attempts, delivery.created_at, now, failure.retry_after, random.random)
    if retry_at is None:
        return "failed", deliveries.record_failure(db, delivery, made, broken=failure.permanent)
    deliveries.record_retry(db, delivery, made, retry_at)
    return "retrying", []
