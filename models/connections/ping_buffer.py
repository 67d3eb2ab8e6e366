"""The ping buffer: a Redis stream that holds pings while PostgreSQL is down. Redis confirms that an entry is on disk."""

import contextlib
import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

import settings
from models.queries.pings import Kind, Ping

log = structlog.get_logger(__name__)

STREAM = "supercheck:pings"
#: A full buffer refuses pings, so that it cannot use up the memory of Redis. The job is asked to retry.
MAX_BUFFERED = 20_000
#: A Redis that syncs once a second may take two. No job should wait longer.
SYNC_TIMEOUT_MS = 3_000
MAX_CONNECTIONS = 200
_TIMEOUT_SECONDS = 2.0


class Entry(NamedTuple):
    """A buffered ping and its id in the stream. `ping` is None if the entry cannot be read."""

    id: str
    ping: Ping | None


_opening = Lock()


@cache
def _client() -> redis.Redis:
    pool = redis.BlockingConnectionPool.from_url(
        settings.get().redis_url,
        max_connections=MAX_CONNECTIONS,
        timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        socket_timeout=_TIMEOUT_SECONDS + SYNC_TIMEOUT_MS / 1000,
        decode_responses=True,
        # Failing fast is better for a waiting job: it retries.
        retry=Retry(NoBackoff(), 0),
    )
    return redis.Redis(connection_pool=pool)


def client() -> redis.Redis:
    """Return the client of this process, created at the first call."""
    with _opening:
        return _client()


def close() -> None:
    """Close all connections. The next call opens new ones."""
    if _client.cache_info().currsize:
        _client().connection_pool.disconnect()
        _client.cache_clear()


def put(ping: Ping) -> bool:
    """Buffer `ping`. Return whether it is on the disk of Redis; False also if Redis is down or the buffer is full."""
    try:
        pipe = client().pipeline(transaction=False)
        pipe.xadd(STREAM, {"ping": _encode(ping)})
        pipe.xlen(STREAM)
        # WAITAOF confirms what this connection wrote. A Redis without an append-only file returns an error.
        pipe.execute_command("WAITAOF", 1, 0, SYNC_TIMEOUT_MS)  # type: ignore[no-untyped-call]
        entry_id, buffered, synced = pipe.execute(raise_on_error=False)
    except redis.RedisError as error:
        log.warning("a ping could not be buffered: Redis is unavailable", error=type(error).__name__)
        return False
    if isinstance(entry_id, Exception):
        return False
    if isinstance(synced, list) and int(synced[0]) >= 1 and buffered <= MAX_BUFFERED:
        return True
    with contextlib.suppress(redis.RedisError):  # the job retries, and a repeated ping is harmless
        client().xdel(STREAM, entry_id)
    return False


def size() -> int:
    """Return the number of buffered pings. Raise redis errors."""
    return int(client().xlen(STREAM))


def oldest(count: int) -> list[Entry]:
    """Return up to `count` buffered pings, oldest first. Raise redis errors."""
    rows: Any = client().xrange(STREAM, count=count)
    return [Entry(entry_id, _decode(fields.get("ping", ""))) for entry_id, fields in rows]


def remove(entry_ids: Iterable[str]) -> None:
    """Remove entries from the stream, after they were recorded. Raise redis errors."""
    ids = list(entry_ids)
    if ids:
        client().xdel(STREAM, *ids)


def _encode(ping: Ping) -> str:
    return json.dumps(
        {
            "id": str(ping.id),
            "token": ping.token_hash.hex(),
            "at": ping.received_at.isoformat(),
            "kind": ping.kind.value,
            "source": ping.source,
            "exit": ping.exit_code,
            "run": None if ping.run_id is None else str(ping.run_id),
            "body": ping.body,
            "message": ping.message,
            "has_keyword": ping.has_keyword,
            "key": None if ping.key_hash is None else ping.key_hash.hex(),
        },
        separators=(",", ":"),
    )


def _decode(text: str) -> Ping | None:
    try:
        value: dict[str, Any] = json.loads(text)
        return Ping(
            id=UUID(value["id"]),
            token_hash=bytes.fromhex(value["token"]),
            received_at=datetime.fromisoformat(value["at"]),
            kind=Kind(value["kind"]),
            source=value["source"],
            exit_code=value["exit"],
            run_id=None if value["run"] is None else UUID(value["run"]),
            body=value["body"],
            message=value["message"],
            has_keyword=value.get("has_keyword"),
            key_hash=None if value["key"] is None else bytes.fromhex(value["key"]),
        )
    except (ValueError, KeyError, TypeError):
        log.error("a buffered ping cannot be read")
        return None
