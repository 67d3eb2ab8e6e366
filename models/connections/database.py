"""The pipeline's access to PostgreSQL: one psycopg pool per process, one transaction per stage.

Pages and the API use Flask-SQLAlchemy (`web.http.extensions.db`). Code that runs per check or per alert uses this module,
without the object mapper. Pings have their own pool (`ping_pool`).
"""

import select
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from threading import Lock

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

import settings
from models.connections.dependencies import DATABASE

#: A statement that takes longer is a bug. An error is better than a stage that hangs.
STATEMENT_TIMEOUT_MS = 30_000
#: How long to wait for a connection: less after a failed attempt, least while the server counts as unavailable.
WAIT_SECONDS = 10.0
WAIT_AFTER_FAILURE_SECONDS = 2.0
WAIT_WHILE_UNAVAILABLE_SECONDS = 0.5
#: The pool retries to connect with growing pauses and starts over after this long, so that no pause exceeds a second or
#: two, however long the outage lasts.
RECONNECT_SECONDS = 4.0
#: libpq's detection of a host that vanished without closing its connections. Values in the URL take precedence.
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}

Db = Connection[TupleRow]
#: The database cannot be reached (`PoolTimeout` included) or is read-only during a failover. A retry may succeed.
UNAVAILABLE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)

#: The pipeline's statements look rows up by key, in batches whose size the planner does not know. A plan that scans a
#: table, right for the first rows of a day, would be far too slow for the last. So statements are planned once, for lookups.
_PLANNING = (
    "enable_seqscan = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "plan_cache_mode = force_generic_plan",
)


def _prepare(connection: Db) -> None:
    for setting in ("timezone = 'UTC'", f"statement_timeout = {STATEMENT_TIMEOUT_MS}", "jit = off", *_PLANNING):
        connection.execute(f"SET {setting}")
    connection.commit()
    # Every statement of the pipeline runs thousands of times, so it is prepared from its second use on.
    connection.prepare_threshold = 1


#: `cache` alone would let two concurrent first calls open a pool each.
_opening = Lock()


def _check(connection: Db) -> None:
    """Refuse a connection that was closed while idle (by a restart of the server), so that no stage fails with it.

    A closed connection is readable. Only then is a round trip made to check it.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        ConnectionPool.check_connection(connection)


@cache
def pool() -> ConnectionPool[Db]:
    """Return the pool of this process, opened at the first call. It grows to one connection per thread and shrinks when idle."""
    config = settings.get()
    return ConnectionPool(
        config.database_url,
        kwargs={**_NETWORK, **conninfo_to_dict(config.database_url)},
        min_size=1,
        max_size=config.parallel_threads + 8,
        timeout=WAIT_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        max_idle=120,
        num_workers=1,
        configure=_prepare,
        check=_check,
        open=True,
        name="pipeline",
    )


@contextmanager
def transaction(*, durable: bool = True, pipelined: bool = False) -> Iterator[Db]:
    """Run one transaction: commit at the end, roll back on an error. Raise psycopg's errors.

    `durable=False` does not wait for the disk. Use it for work that is repeated with the same outcome if a crash of the
    server loses the last fraction of a second. A later durable commit makes it durable as well.

    `pipelined` does not wait for statements without results, so that begin, write and commit are one round trip. Errors
    of such statements are raised later, at the next result or at the end, and their row counts are unknown.

    While the database counts as unavailable, `PoolTimeout` is raised early, so that not every thread waits for it.
    """
    with _opening:
        opened = pool()
    with DATABASE.attempt():
        connection = opened.getconn(timeout=_wait_seconds())
    try:
        with connection.pipeline() if pipelined else nullcontext():
            if not durable:
                connection.execute("SET LOCAL synchronous_commit = off")
            yield connection
            connection.commit()
    except BaseException:
        # The original error is raised. A lost connection has nothing to roll back.
        with suppress(psycopg.Error):
            connection.rollback()
        raise
    finally:
        opened.putconn(connection)


def _wait_seconds() -> float:
    """Return how many seconds to wait for a connection."""
    if DATABASE.healthy:
        return WAIT_SECONDS
    return WAIT_WHILE_UNAVAILABLE_SECONDS if DATABASE.unavailable else WAIT_AFTER_FAILURE_SECONDS


def close() -> None:
    """Close all connections. The next `transaction` opens a new pool."""
    if pool.cache_info().currsize:
        pool().close()
        pool.cache_clear()
