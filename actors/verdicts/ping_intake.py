"""Keeps a gap in accepting pings from looking like a missed heartbeat.

A web process that accepts pings subscribes to a Redis channel (the subscription of a dead process ends with its connection)
and renews a mark in PostgreSQL every few seconds. While no process is subscribed, `hold_missed` holds missed heartbeats
back. When pings are accepted again, `intake_resumed` moves the deadlines of the heartbeats whose pings may be lost.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import psycopg
import redis
import structlog

from actors.broker import Broker
from models.connections import ping_buffer
from models.connections.database import Db
from models.queries import ping_intake, results, warnings
from models.rules import heartbeats
from models.rules.round_ids import result_id

log = structlog.get_logger(__name__)

CHANNEL = "supercheck:takes-pings"
#: Seconds between two renewals of the mark.
MARK_SECONDS = 5.0
#: An older mark means a gap: the database was down, or the machine was suspended.
STALE = timedelta(seconds=15)
RETRY_SECONDS = 1.0
#: Seconds between two tests of a starting process whether it accepts pings.
START_POLL_SECONDS = 0.2
#: How long the operator's warning of a gap is shown.
WARNING_LIFETIME = timedelta(hours=1)
WARNING = "pings_not_taken"
CODE = "PINGS_NOT_TAKEN"

Transaction = Callable[[], AbstractContextManager[Db]]


def hold_missed(db: Db, client: redis.Redis, now: datetime) -> bool:
    """Return whether a passed deadline proves nothing yet: pings are buffered, or no web process accepts pings.

    Return False if no web process has ever left a mark. Raises psycopg's and redis' errors.
    """
    if ping_buffer.size():
        return True
    seen = ping_intake.last_seen(db)
    if seen is None:
        return False
    return now - seen > STALE or not client.pubsub_numsub(CHANNEL)[0][1]


def intake_resumed(db: Db, now: datetime) -> int:
    """Record that pings are accepted since `now`, and move the deadlines of heartbeats whose pings may be lost.

    Each gets an `error` result for the gap, and the operator gets one warning. Return how many heartbeats there are. `db` is in a
    transaction.
    """
    away_from = ping_intake.restart(db, now)
    if away_from is None:
        return 0
    affected = [
        (heartbeat, ping_intake.NewDeadline(heartbeat.monitor_id, later))
        for heartbeat in ping_intake.due_after(db, away_from)
        if (later := _later_deadline(heartbeat, away_from, now)) is not None
    ]
    if affected:
        message = (
            f"Supercheck could not accept pings from {away_from:%Y-%m-%d %H:%M:%S} to {now:%Y-%m-%d %H:%M:%S} UTC."
        )
        ping_intake.move_deadlines(db, [deadline for _, deadline in affected], CODE, message)
        results.store(db, [_gap_result(heartbeat, now, message) for heartbeat, _ in affected])
        warnings.raise_warning(db, WARNING, "web", f"{message} {_deadlines_moved(len(affected))}")
        log.warning("pings could not be accepted", seconds=(now - away_from).total_seconds(), heartbeats=len(affected))
    return len(affected)


def _deadlines_moved(count: int) -> str:
    if count == 1:
        return "1 heartbeat whose pings may be lost has until its next regular run."
    return f"{count} heartbeats whose pings may be lost have until their next regular run."


def _later_deadline(heartbeat: ping_intake.WaitingHeartbeat, away_from: datetime, now: datetime) -> datetime | None:
    try:
        return heartbeats.deadline_after_intake_outage(heartbeat.config, heartbeat.due, away_from, now)
    except (ValueError, TypeError, KeyError, StopIteration, OverflowError):
        # An invalid schedule must not stop the other heartbeats; the tick reports it.
        return None


def _gap_result(heartbeat: ping_intake.WaitingHeartbeat, now: datetime, message: str) -> results.ResultRow:
    at = min(heartbeat.due, now)
    return results.ResultRow(
        id=result_id(heartbeat.monitor_id, at, None),
        scheduled_for=at,
        monitor_id=heartbeat.monitor_id,
        checked_at=now,
        location=None,
        expected=(),
        status="error",
        response_time_ms=None,
        error_code=CODE,
        error_message=message,
        details={},
    )


class PingIntake:
    """A daemon thread that records, until `stop`, that this process accepts pings.

    `transaction` opens a database transaction. `accepts_pings` tests whether the process would answer a ping now; while it
    returns False, no mark is renewed, which makes a gap.
    """

    def __init__(
        self, broker: Broker, transaction: Transaction, accepts_pings: Callable[[], bool] = lambda: True
    ) -> None:
        self._broker = broker
        self._transaction = transaction
        self._accepts_pings = accepts_pings
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ping-intake", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Renew the mark a last time and end the thread."""
        self._stopping.set()
        try:
            # Wakes the thread, which waits for messages of this channel.
            self._broker.client.publish(CHANNEL, "")
        except redis.RedisError:
            return
        self._thread.join(MARK_SECONDS)

    def _run(self) -> None:
        starting = True
        while not self._stopping.is_set():
            try:
                if starting:
                    if not self._accepts_pings():
                        self._stopping.wait(START_POLL_SECONDS)
                        continue
                    self._resume()
                    starting = False
                self._renew_until_interrupted()
                if not self._stopping.is_set():
                    log.warning("pings are not accepted now")
                    starting = True
            except (psycopg.Error, redis.RedisError) as error:
                log.warning("the mark of the ping intake could not be renewed", error=type(error).__name__)
                self._stopping.wait(RETRY_SECONDS)

    def _resume(self) -> None:
        """Move the deadlines of a gap before this process subscribes: `hold_missed` must hold until they are moved."""
        self._mark(after_gap=not self._broker.client.pubsub_numsub(CHANNEL)[0][1])

    def _renew_until_interrupted(self) -> None:
        """Stay subscribed and renew the mark until the process stops or no longer accepts pings; then unsubscribe."""
        with self._broker.client.pubsub() as subscription:
            subscription.subscribe(CHANNEL)
            marked = time.monotonic()
            while not self._stopping.is_set():
                # A broken connection raises an error here; `_run` subscribes again.
                subscription.get_message(timeout=max(0.0, marked + MARK_SECONDS - time.monotonic()))
                if self._stopping.is_set() or time.monotonic() >= marked + MARK_SECONDS:
                    if not self._stopping.is_set() and not self._accepts_pings():
                        return
                    self._mark()
                    marked = time.monotonic()

    def _mark(self, *, after_gap: bool = False) -> None:
        now = datetime.now(UTC)
        with self._transaction() as db:
            if after_gap or not ping_intake.renew(db, now, now - STALE):
                intake_resumed(db, now)
