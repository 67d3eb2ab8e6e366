"""Embedded PostgreSQL and Valkey from wheels. `supercheck up` runs them if no servers are configured.

For tests, `postgres` and `valkey` run a server for the duration of a `with` block.
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
    """Yield `directory`, or a temporary directory that is removed afterwards."""
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
    """Run a PostgreSQL server for the duration of the block; yield the URL of the superuser's empty database.

    Its files are under `directory` (created if missing), or in a temporary directory. Unless `durable`, it never waits
    for the disk. Raise `EmbeddedError` if it cannot start.
    """
    with _place(directory, "postgres") as place:
        server = postgres_server.prepare(place, durable=durable)
        with foreground.running(server.command, server.data, signal.SIGINT, lambda: postgres_answers(server.url)):
            yield server.url


@contextmanager
def valkey(directory: Path | None = None, *, durable: bool = False) -> Iterator[str]:
    """Run a Valkey server for the duration of the block; yield its URL. Otherwise like `postgres`."""
    with _place(directory, "valkey") as place:
        server = valkey_server.prepare(place, durable=durable)
        with foreground.running(server.command, server.data, signal.SIGTERM, lambda: valkey_answers(server.url)):
            yield server.url


def postgres_answers(url: str) -> bool:
    """Return whether a connection to `url` succeeds now."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def valkey_answers(url: str) -> bool:
    """Return whether the server at `url` responds and has loaded its data."""
    client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
