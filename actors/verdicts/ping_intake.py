"""Nobody's job fails because we were away: says that pings are taken, and after an absence gives heartbeats another turn.

A web process that takes pings listens to a Redis channel (a dead process's subscription ends with its connection) and
leaves a mark in PostgreSQL every few seconds. While nobody listens, misses wait; see `misses_wait`.
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
BEAT_SECONDS = 5.0
#: A mark older than this was interrupted: the database was away, the machine slept.
STALE = timedelta(seconds=15)
RETRY_SECONDS = 1.0
#: How often a process that starts looks whether it takes pings.
ARRIVE_SECONDS = 0.2
#: The operator's warning of an absence stands for so long.
TOLD_FOR = timedelta(hours=1)
WARNING = "pings_not_taken"
CODE = "PINGS_NOT_TAKEN"

Transaction = Callable[[], AbstractContextManager[Db]]


def misses_wait(db: Db, client: redis.Redis, now: datetime) -> bool:
    """Whether a deadline that has passed proves nothing yet: pings wait to be recorded, or nobody takes any.

    An installation whose web processes have never left a mark is believed. Raises psycopg's and redis' errors.
    """
    if ping_buffer.size():
        return True
    seen = ping_intake.last_seen(db)
    if seen is None:
        return False
    return now - seen > STALE or not client.pubsub_numsub(CHANNEL)[0][1]


def return_from(db: Db, now: datetime) -> int:
    """Pings are taken again from `now` on: heartbeats whose ping may have come meanwhile get until their next turn.

    Answers how many. Their gap is on record as ours, and the operator is warned. `db` is in a transaction.
    """
    away_from = ping_intake.returned(db, now)
    if away_from is None:
        return 0
    concerned = [
        (one, ping_intake.Moved(one.monitor_id, later))
        for one in ping_intake.due_after(db, away_from)
        if (later := _later(one, away_from, now)) is not None
    ]
    if concerned:
        message = f"We could not take pings from {away_from:%Y-%m-%d %H:%M:%S} to {now:%Y-%m-%d %H:%M:%S} UTC."
        ping_intake.move(db, [moved for _, moved in concerned], CODE, message)
        results.store(db, [_gap(one, now, message) for one, _ in concerned])
        one = len(concerned) == 1
        heartbeats = (
            "1 heartbeat whose pings may be lost has"
            if one
            else f"{len(concerned)} heartbeats whose pings may be lost have"
        )
        told = f"{message} {heartbeats} time until the next turn."
        warnings.raise_warning(db, WARNING, "web", told)
        log.warning("pings could not be taken", seconds=(now - away_from).total_seconds(), heartbeats=len(concerned))
    return len(concerned)


def _later(one: ping_intake.Waiting, away_from: datetime, now: datetime) -> datetime | None:
    try:
        return heartbeats.deadline_after_intake_outage(one.config, one.due, away_from, now)
    except (ValueError, TypeError, KeyError, StopIteration, OverflowError):
        # One heartbeat whose schedule cannot be read stays as it is; the tick tells of it.
        return None


def _gap(one: ping_intake.Waiting, now: datetime, message: str) -> results.ResultRow:
    at = min(one.due, now)
    return results.ResultRow(
        id=result_id(one.monitor_id, at, None),
        scheduled_for=at,
        monitor_id=one.monitor_id,
        checked_at=now,
        location=None,
        expected=(),
        status="error",
        response_time_ms=None,
        error_code=CODE,
        error_message=message,
        details={},
    )


class Attendance:
    """A daemon thread that says, until `stop`, that this process takes pings. `transaction` opens one.

    `hears` tells whether a ping that comes now would be answered. While it would not, no mark is left: that is an absence.
    """

    def __init__(self, broker: Broker, transaction: Transaction, hears: Callable[[], bool] = lambda: True) -> None:
        self._broker = broker
        self._transaction = transaction
        self._hears = hears
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="attendance", daemon=True)

    def start(self) -> None:
        """Attend from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Leave, with a last mark."""
        self._stopping.set()
        try:
            self._broker.client.publish(CHANNEL, "")  # its listeners look up
        except redis.RedisError:
            return
        self._thread.join(BEAT_SECONDS)

    def _run(self) -> None:
        arriving = True
        while not self._stopping.is_set():
            try:
                if arriving:
                    if not self._hears():
                        self._stopping.wait(ARRIVE_SECONDS)
                        continue
                    self._arrive()
                    arriving = False
                self._attend()
                if not self._stopping.is_set():
                    log.warning("pings are not answered now")
                    arriving = True
            except (psycopg.Error, redis.RedisError) as error:
                log.warning("attendance could not be noted", error=type(error).__name__)
                self._stopping.wait(RETRY_SECONDS)

    def _arrive(self) -> None:
        """Where nobody took pings before, the deadlines of that absence move before anybody can see us listening."""
        self._mark(returning=not self._broker.client.pubsub_numsub(CHANNEL)[0][1])

    def _attend(self) -> None:
        """Listen and leave marks until the stop, or until pings are not answered; then the channel is left at once."""
        with self._broker.client.pubsub() as listening:
            listening.subscribe(CHANNEL)
            marked = time.monotonic()
            while not self._stopping.is_set():
                # A connection that breaks ends the wait with an error, and a new one is made.
                listening.get_message(timeout=max(0.0, marked + BEAT_SECONDS - time.monotonic()))
                if self._stopping.is_set() or time.monotonic() >= marked + BEAT_SECONDS:
                    if not self._stopping.is_set() and not self._hears():
                        return
                    self._mark()
                    marked = time.monotonic()

    def _mark(self, *, returning: bool = False) -> None:
        now = datetime.now(UTC)
        with self._transaction() as db:
            if returning or not ping_intake.seen(db, now, now - STALE):
                return_from(db, now)
