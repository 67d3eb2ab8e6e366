"""Embedded PostgreSQL and Valkey, from wheels: what `supercheck up` runs where no servers are given.

For tests, `postgres` and `valkey` run one for the length of a `with` block.
"""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from ops.embedded import foreground, postgres_server, valkey_server
from ops.embedded.errors import EmbeddedError

__all__ = ["EmbeddedError", "postgres", "postgres_answers", "valkey", "valkey_answers"]


@contextmanager
def _place(directory: Path | None, name: str) -> Iterator[Path]:
    """`directory`, or one of our own that goes away afterwards."""
    if directory is not None:
        yield directory.absolute()
        return
    own = Path(tempfile.mkdtemp(prefix=f"supercheck-{name}-"))
    try:
        yield own / name
    finally:
        shutil.rmtree(own, ignore_errors=True)


@contextmanager
def postgres(directory: Path | None = None, *, durable: bool = False) -> Iterator[str]:
    """A PostgreSQL server for the length of the block; yields its URL, of the superuser's empty database.

    Its files are under `directory` (made where missing), or in a temporary one of its own. Not `durable`, it
    never waits for the disk. Raises `EmbeddedError`.
    """
    with _place(directory, "postgres") as place:
        server = postgres_server.prepare(place, durable=durable)
        with foreground.running(server.command, server.data, signal.SIGINT, lambda: postgres_answers(server.url)):
            yield server.url


@contextmanager
def valkey(directory: Path | None = None, *, durable: bool = False) -> Iterator[str]:
    """A Valkey server for the length of the block; yields its URL. As `postgres` otherwise."""
    with _place(directory, "valkey") as place:
        server = valkey_server.prepare(place, durable=durable)
        with foreground.running(server.command, server.data, signal.SIGTERM, lambda: valkey_answers(server.url)):
            yield server.url


def postgres_answers(url: str) -> bool:
    """Whether a connection to `url` can be made now."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def valkey_answers(url: str) -> bool:
    """Whether the server at `url` answers and has loaded its data."""
    client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
