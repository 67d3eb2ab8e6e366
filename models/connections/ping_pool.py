"""Connections for heartbeat pings: each ping is one statement, so they commit by themselves and plan only once.

While the database is away nobody waits for it: `Breaker` looks for it in a thread of its own.
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
from models.connections.database import AWAY, Db
from models.queries import pings

log = structlog.get_logger(__name__)

#: A ping takes a millisecond or two: so many connections answer thousands a second.
SIZE = 8
#: A job that pings waits for us. Rather tell it soon to come again than hold it, and a thread of ours, for long.
WAIT_SECONDS = 2
MOST_WAITING = 64
STATEMENT_TIMEOUT_MS = 5_000
#: How often a database that is away is looked for.
LOOK_SECONDS = 1.0
#: Pings that were put aside come first, lest a job's newer ping be recorded before its older one; but not for ever.
PATIENCE_SECONDS = 30.0


class Away(Exception):
    """The database takes no pings now."""


def _prepare(connection: Db) -> None:
    connection.execute("SET TIME ZONE 'UTC'")
    connection.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
    # Planning the statement anew costs more than running it.
    connection.execute("SET plan_cache_mode = force_generic_plan")


#: `cache` alone lets two threads that come first together make a pool each.
_opening = Lock()


@cache
def pool() -> ConnectionPool[Db]:
    """The pool of this process, opened at the first call; its connections are in autocommit mode.

    Drawing one is not preceded by a test query, so the first use after a server's restart may fail.
    """
    return ConnectionPool(
        settings.get().database_url,
        kwargs={"autocommit": True, "connect_timeout": WAIT_SECONDS},
        min_size=0,
        max_size=SIZE,
        timeout=WAIT_SECONDS,
        max_waiting=MOST_WAITING,
        max_idle=60,
        # A failed attempt is not kept up: the next ping begins another.
        reconnect_timeout=WAIT_SECONDS,
        num_workers=1,
        configure=_prepare,
        open=True,
        name="pings",
    )


@contextmanager
def transaction() -> Iterator[Db]:
    """One transaction on a connection of the pool. Raises psycopg's errors."""
    with _opening:
        opened = pool()
    with opened.connection() as connection, connection.transaction():
        yield connection


def _drop_pool() -> None:
    """Whoever waits for a connection is told at once that there is none."""
    with _opening:
        dropped = pool() if pool.cache_info().currsize else None
        pool.cache_clear()
    if dropped is not None:
        dropped.close()


def close() -> None:
    """Give all connections back to the server; the next `pool` opens new ones."""
    breaker.stop()
    _drop_pool()
    ping_buffer.close()


class Breaker:
    """Open while the database is away: pings then cost milliseconds, and one thread looks for it."""

    def __init__(self) -> None:
        self.open = False
        self._lock = Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def trip(self) -> None:
        """Open it; it closes by itself."""
        with self._lock:
            if not self.open:
                self.open = True
                self._thread = threading.Thread(target=self._look, name="ping-database", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread, and close."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(WAIT_SECONDS + LOOK_SECONDS + 1)
        self._stopping.clear()
        self.open = False

    def _look(self) -> None:
        if not _answers():
            log.warning("the database is away: pings are put aside")
            _drop_pool()
            back: float | None = None
            while not self._stopping.wait(LOOK_SECONDS):
                if not _answers():
                    back = None
                    continue
                back = back or time.monotonic()
                if not _put_aside() or time.monotonic() - back > PATIENCE_SECONDS:
                    log.info("the database is back: pings are recorded at once")
                    break
            _drop_pool()
        self.open = False


def _answers() -> bool:
    """Whether the database can be reached, and is none that only follows another."""
    try:
        with psycopg.connect(settings.get().database_url, connect_timeout=WAIT_SECONDS) as connection:
            return connection.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,)
    except AWAY:
        return False


def _put_aside() -> bool:
    try:
        return ping_buffer.waiting() > 0
    except redis.RedisError:
        return False


breaker = Breaker()


def store(ping: pings.Ping) -> pings.Recorded | None:
    """`pings.record` on a connection of the pool, and once more where that turned out to be dead.

    Raises `Away`: within a few seconds where the database has just gone, at once afterwards.
    """
    if breaker.open:
        raise Away
    try:
        return _stored(ping)
    except TooManyRequests as error:
        raise Away from error
    except AWAY as error:
        breaker.trip()
        raise Away from error


def _stored(ping: pings.Ping) -> pings.Recorded | None:
    drawn = None
    with _opening:
        opened = pool()
    try:
        with opened.connection() as drawn:
            return pings.record(drawn, ping)
    except psycopg.OperationalError:
        if drawn is None or not drawn.broken:
            raise
    # The server was restarted, so the pool's other connections are dead as well; or it is gone, and that shows here.
    with psycopg.connect(settings.get().database_url, autocommit=True, connect_timeout=WAIT_SECONDS) as own:
        _prepare(own)
        recorded = _again(own, ping)
    opened.check()
    return recorded


def _again(db: Db, ping: pings.Ping) -> pings.Recorded | None:
    try:
        return pings.record(db, ping)
    except psycopg.errors.UniqueViolation:
        # The first try had come through after all, and only its answer was lost.
        return pings.recorded_before(db, ping.id)
