"""Replays the pings that were buffered while PostgreSQL was down, each with its original id and time."""

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

#: Entries read from the buffer at once.
BATCH = 100


def send_if_needed() -> None:
    """Send the actor if pings are buffered. Raise redis errors."""
    if ping_buffer.size():
        ping_replay.send()


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=0, time_limit=60_000)
def ping_replay() -> None:
    """Record the buffered pings, oldest first, and remove each after its commit. Skip pings that are recorded already."""
    replayed = 0
    while entries := ping_buffer.oldest(BATCH):
        readable = [entry.ping for entry in entries if entry.ping is not None]
        undecided = [message for message in map(_record, readable) if message is not None]
        ping_buffer.remove(entry.id for entry in entries)
        _send_undecided(undecided)
        replayed += len(entries)
    if replayed:
        log.info("buffered pings replayed", pings=replayed)


def _record(ping: Ping) -> tuple[str, str] | None:
    """Record `ping`. Return (monitor id, time) if it must still be decided, else None.

    Raise psycopg's errors if the database is down again.
    """
    try:
        with transaction() as db:
            recorded = pings.record(db, ping)
    except psycopg.errors.UniqueViolation:
        return None
    except (psycopg.DataError, psycopg.IntegrityError):
        # The database will never accept this ping. It must not block the others.
        log.exception("a buffered ping cannot be recorded", ping_id=str(ping.id))
        return None
    if recorded is None or recorded.refused:
        log.warning("a buffered ping is no longer accepted", ping_id=str(ping.id))
        return None
    return (str(recorded.monitor_id), ping.received_at.isoformat()) if recorded.undecided else None


def _send_undecided(undecided: list[tuple[str, str]]) -> None:
    try:
        broker.enqueue_many(heartbeat_ping.message(*item) for item in undecided)
    except redis.RedisError:
        log.warning("Redis is unavailable: the sweep will decide the replayed pings", pings=len(undecided))
