"""Where pings wait while PostgreSQL is away: a Redis stream, and the broker's word that an entry is on disk."""

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
#: Beyond so many the broker's memory matters more: jobs are told to come again.
MOST_WAITING = 20_000
#: A server that syncs once a second needs up to two; longer waits are for no job.
DISK_MS = 3_000
CONNECTIONS = 200
_SECONDS = 2.0


class Entry(NamedTuple):
    """A ping that waits, by its id in the stream; None where it cannot be read."""

    id: str
    ping: Ping | None


_opening = Lock()


@cache
def _client() -> redis.Redis:
    pool = redis.BlockingConnectionPool.from_url(
        settings.get().redis_url,
        max_connections=CONNECTIONS,
        timeout=_SECONDS,
        socket_connect_timeout=_SECONDS,
        socket_timeout=_SECONDS + DISK_MS / 1000,
        decode_responses=True,
        # A job that waits is better told to come again.
        retry=Retry(NoBackoff(), 0),
    )
    return redis.Redis(connection_pool=pool)


def client() -> redis.Redis:
    """This process's client, made at the first call."""
    with _opening:
        return _client()


def close() -> None:
    """Give the connections back; the next call makes new ones."""
    if _client.cache_info().currsize:
        _client().connection_pool.disconnect()
        _client.cache_clear()


def put(ping: Ping) -> bool:
    """Whether `ping` now waits in the stream, on the broker's disk. False also where the broker is away or full."""
    try:
        pipe = client().pipeline(transaction=False)
        pipe.xadd(STREAM, {"ping": _written(ping)})
        pipe.xlen(STREAM)
        # Speaks for what this very connection wrote. A server without an append-only file answers with an error.
        pipe.execute_command("WAITAOF", 1, 0, DISK_MS)  # type: ignore[no-untyped-call]
        entry, waiting, synced = pipe.execute(raise_on_error=False)
    except redis.RedisError as error:
        log.warning("a ping could not be put aside: the broker is away", error=type(error).__name__)
        return False
    if isinstance(entry, Exception):
        return False
    if isinstance(synced, list) and int(synced[0]) >= 1 and waiting <= MOST_WAITING:
        return True
    with contextlib.suppress(redis.RedisError):  # a repeated ping is harmless, and this one will be repeated
        client().xdel(STREAM, entry)
    return False


def waiting() -> int:
    """How many pings wait. Raises redis' errors."""
    return int(client().xlen(STREAM))


def oldest(count: int) -> list[Entry]:
    """Up to `count` of the pings that wait, in the order in which they came. Raises redis' errors."""
    found: Any = client().xrange(STREAM, count=count)
    return [Entry(entry, _read(fields.get("ping", ""))) for entry, fields in found]


def forget(entries: Iterable[str]) -> None:
    """Take these entries, by now recorded, out of the stream. Raises redis' errors."""
    ids = list(entries)
    if ids:
        client().xdel(STREAM, *ids)


def _written(ping: Ping) -> str:
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


def _read(text: str) -> Ping | None:
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
        log.error("a ping that waited cannot be read")
        return None
