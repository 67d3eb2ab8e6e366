"""The road's own door to PostgreSQL: one psycopg pool a process, one transaction a stage.

Pages and the API go through Flask-SQLAlchemy (`web.http.extensions.db`); everything that runs per check, per ping or
per alert comes through here, without the object mapper.
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

#: A statement that takes longer is a fault of ours: better an error than a stage that hangs for ever.
STATEMENT_TIMEOUT_MS = 30_000
#: How long a connection is waited for; less where the server did not answer lately, and least while it counts as away.
WAIT_SECONDS = 10.0
DOUBTFUL_SECONDS = 2.0
AWAY_SECONDS = 0.5
#: The pool looks for a server that is away with growing pauses, and begins anew after so long: no pause is longer than a
#: second or two, however long the outage.
RECONNECT_SECONDS = 4.0
#: A server whose host is gone without a word is noticed by libpq; what the URL says of these goes first.
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}

Db = Connection[TupleRow]
#: The database cannot be reached (`PoolTimeout` is among them) or, in the middle of a failover, takes no writes: what failed may work in a moment.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)

#: The road's statements look rows up by key, in batches whose size the planner cannot know: a plan that reads a table
#: whole, right for the first rows of a day, would be ruinous for the last. So it plans once, for lookups.
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
    # Every statement of the road runs thousands of times: prepared from its second use on.
    connection.prepare_threshold = 1


#: `cache` alone lets two threads that come first together make a pool each.
_opening = Lock()


def _check(connection: Db) -> None:
    """Refuse a connection that died while it lay idle (a server's restart), so that no stage fails with it.

    A closed connection can be read from; only then is it worth a round trip to ask how it does.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        ConnectionPool.check_connection(connection)


@cache
def pool() -> ConnectionPool[Db]:
    """The pool of this process, opened at the first call; it grows to one connection a thread and shrinks when idle."""
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
        name="road",
    )


@contextmanager
def transaction(*, durable: bool = True, pipelined: bool = False) -> Iterator[Db]:
    """One transaction: committed at the end, rolled back on an error. Raises psycopg's errors.

    `durable=False` does not wait for the disk: for what is done again, with the same outcome, where a crash of the server
    in the next fraction of a second takes it back. Any durable commit after it makes it durable too.

    `pipelined`: what answers nothing waits for nothing, so that beginning, writing and committing are one round trip. An
    error of such a statement comes later, at the next answer or at the end, and its row count is not known.

    While the database counts as away, `PoolTimeout` comes soon: the threads of a process need not all wait for it.
    """
    with _opening:
        opened = pool()
    with DATABASE.attempt():
        connection = opened.getconn(timeout=_patience())
    try:
        with connection.pipeline() if pipelined else nullcontext():
            if not durable:
                connection.execute("SET LOCAL synchronous_commit = off")
            yield connection
            connection.commit()
    except BaseException:
        # What went wrong is raised; a connection that is lost has nothing to take back.
        with suppress(psycopg.Error):
            connection.rollback()
        raise
    finally:
        opened.putconn(connection)


def _patience() -> float:
    """Seconds that are worth waiting for a connection now."""
    if DATABASE.fine:
        return WAIT_SECONDS
    return AWAY_SECONDS if DATABASE.away else DOUBTFUL_SECONDS


def close() -> None:
    """Give all connections back to the server; the next `transaction` opens a new pool."""
    if pool.cache_info().currsize:
        pool().close()
        pool.cache_clear()
