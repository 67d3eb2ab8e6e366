"""Database connections for heartbeat pings. Each ping is one statement in autocommit mode, planned once per connection.

While the database is down, no ping waits for it: `Breaker` probes it in a thread of its own.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

import psycopg
import redis
import structlog
from psycopg_pool import ConnectionPool, TooManyRequests

import settings
from models.connections import ping_buffer
from models.connections.database import UNAVAILABLE, Db
from models.queries import pings

log = structlog.get_logger(__name__)

#: A ping takes a millisecond or two, so this many connections handle thousands per second.
SIZE = 8
#: The job waits for the response. Asking it to retry is better than blocking it, and a thread, for long.
WAIT_SECONDS = 2
MAX_WAITING = 64
STATEMENT_TIMEOUT_MS = 5_000
#: How often the breaker probes a database that is down.
PROBE_SECONDS = 1.0
#: After an outage, buffered pings are replayed first, so that the pings of a job are recorded in order; but the breaker
#: stays open for at most this long.
REPLAY_SECONDS = 30.0


class Unavailable(Exception):
    """The database cannot record pings at the moment."""


def _prepare(connection: Db) -> None:
    connection.execute("SET TIME ZONE 'UTC'")
    connection.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
    # Planning the statement costs more than running it.
    connection.execute("SET plan_cache_mode = force_generic_plan")


#: `cache` alone would let two concurrent first calls open a pool each.
_opening = Lock()


@cache
def pool() -> ConnectionPool[Db]:
    """Return the pool of this process, opened at the first call. Its connections are in autocommit mode.

    Connections are not checked before use, so the first use after a restart of the server may fail.
    """
    return ConnectionPool(
        settings.get().database_url,
        kwargs={"autocommit": True, "connect_timeout": WAIT_SECONDS},
        min_size=0,
        max_size=SIZE,
        timeout=WAIT_SECONDS,
        max_waiting=MAX_WAITING,
        max_idle=60,
        # Do not keep retrying: the next ping starts another attempt.
        reconnect_timeout=WAIT_SECONDS,
        num_workers=1,
        configure=_prepare,
        open=True,
        name="pings",
    )


@contextmanager
def transaction() -> Iterator[Db]:
    """Run one transaction on a connection of the pool. Raise psycopg's errors."""
    with _opening:
        opened = pool()
    with opened.connection() as connection, connection.transaction():
        yield connection


def _close_pool() -> None:
    """Close the pool. Threads that wait for a connection fail at once."""
    with _opening:
        closing = pool() if pool.cache_info().currsize else None
        pool.cache_clear()
    if closing is not None:
        closing.close()


def close() -> None:
    """Close all connections. The next `pool` call opens new ones."""
    breaker.stop()
    _close_pool()
    ping_buffer.close()


class Breaker:
    """Open while the database is down. Pings then fail within milliseconds, and one thread probes the database."""

    def __init__(self) -> None:
        self.open = False
        self._lock = Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def trip(self) -> None:
        """Open the breaker. It closes itself when the database is back."""
        with self._lock:
            if not self.open:
                self.open = True
                self._thread = threading.Thread(target=self._probe, name="ping-database", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread and close the breaker."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(WAIT_SECONDS + PROBE_SECONDS + 1)
        self._stopping.clear()
        self.open = False

    def _probe(self) -> None:
        if not _is_writable():
            log.warning("the database is unavailable: pings are buffered")
            _close_pool()
            back_since: float | None = None
            while not self._stopping.wait(PROBE_SECONDS):
                if not _is_writable():
                    back_since = None
                    continue
                back_since = back_since or time.monotonic()
                if not _has_buffered() or time.monotonic() - back_since > REPLAY_SECONDS:
                    log.info("the database is back: pings are recorded directly")
                    break
            _close_pool()
        self.open = False


def _is_writable() -> bool:
    """Return whether the database can be reached and is not a read-only replica."""
    try:
        with psycopg.connect(settings.get().database_url, connect_timeout=WAIT_SECONDS) as connection:
            return connection.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,)
    except UNAVAILABLE:
        return False


def _has_buffered() -> bool:
    try:
        return ping_buffer.size() > 0
    except redis.RedisError:
        return False


breaker = Breaker()


def store(ping: pings.Ping) -> pings.Recorded | None:
    """Call `pings.record` on a connection of the pool, and once more if that connection was dead.

    Raise `Unavailable` if the database is down: within a few seconds for the first ping, at once while the breaker is
    open.
    """
    if breaker.open:
        raise Unavailable
    try:
        return _record(ping)
    except TooManyRequests as error:
        raise Unavailable from error
    except UNAVAILABLE as error:
        breaker.trip()
        raise Unavailable from error


def _record(ping: pings.Ping) -> pings.Recorded | None:
    connection = None
    with _opening:
        opened = pool()
    try:
        with opened.connection() as connection:
            return pings.record(connection, ping)
    except psycopg.OperationalError:
        if connection is None or not connection.broken:
            raise
    # Either the server was restarted and the other connections of the pool are dead as well, or it is down and this fails.
    with psycopg.connect(settings.get().database_url, autocommit=True, connect_timeout=WAIT_SECONDS) as new:
        _prepare(new)
        recorded = _record_again(new, ping)
    opened.check()
    return recorded


def _record_again(db: Db, ping: pings.Ping) -> pings.Recorded | None:
    try:
        return pings.record(db, ping)
    except psycopg.errors.UniqueViolation:
        # The first try had succeeded; only its response was lost.
        return pings.recorded_before(db, ping.id)
