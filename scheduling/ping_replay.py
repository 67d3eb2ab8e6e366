"""Folds in the pings that were put aside while PostgreSQL was away, each with its own id and its true time."""

import dramatiq
import psycopg
import redis
import structlog

from actors import queues
from actors.broker import broker
from actors.verdicts.heartbeat_ping import heartbeat_ping
from models.connections import ping_buffer
from models.connections.database import transaction
from models.queries import pings
from models.queries.pings import Ping

log = structlog.get_logger(__name__)

#: Read from the stream at once.
BATCH = 100


def send_if_waiting() -> None:
    """Send the actor where there is something for it. Raises redis' errors."""
    if ping_buffer.waiting():
        fold_pings.send()


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=0, time_limit=60_000)
def fold_pings() -> None:
    """Record what waits, oldest first, and take it out of the stream after its commit; what was recorded before is passed over."""
    folded = 0
    while entries := ping_buffer.oldest(BATCH):
        decidable = [one.ping for one in entries if one.ping is not None]
        undecided = [message for message in map(_fold, decidable) if message is not None]
        ping_buffer.forget(one.id for one in entries)
        _hand_on(undecided)
        folded += len(entries)
    if folded:
        log.info("pings folded in", pings=folded)


def _fold(ping: Ping) -> tuple[str, str] | None:
    """What the pipeline is to decide: (monitor id, time). Raises psycopg's errors where the database is away again."""
    try:
        with transaction() as db:
            recorded = pings.record(db, ping)
    except psycopg.errors.UniqueViolation:
        return None
    except (psycopg.DataError, psycopg.IntegrityError):
        # One that the database will never take must not hold up all the others.
        log.exception("a ping that was put aside cannot be recorded", ping_id=str(ping.id))
        return None
    if recorded is None or recorded.refused:
        log.warning("a ping that was put aside is not taken any more", ping_id=str(ping.id))
        return None
    return (str(recorded.monitor_id), ping.received_at.isoformat()) if recorded.undecided else None


def _hand_on(undecided: list[tuple[str, str]]) -> None:
    try:
        broker.enqueue_many(heartbeat_ping.message(*one) for one in undecided)
    except redis.RedisError:
        log.warning("folded pings wait for the sweep: the broker is away", pings=len(undecided))
