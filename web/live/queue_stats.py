"""The length of the queues, read from Dramatiq's keys. It is measured once for all streams, while there are any."""

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

import redis
import structlog

from actors import queues
from actors.runtime import process_registry
from web.live.hub import Event, Hub

log = structlog.get_logger(__name__)

CHANNEL = "queues"
EVERY_SECONDS = 2.0
_NAMESPACE = "dramatiq"


def queue_names(client: "redis.Redis") -> list[str]:
    """Return every queue of this installation. Raise `redis.RedisError` if Redis does not respond."""
    return [*queues.CENTRAL, *(queues.execution(code) for code in process_registry.known_locations(client))]


def measure(client: "redis.Redis") -> list[dict[str, Any]]:
    """Return `{queue, depth, delayed, dead, consumers, lagSeconds}` of every queue, with a few round trips.

    `lagSeconds` is how long the oldest message has waited. Raise `redis.RedisError` if Redis does not respond.
    """
    names = queue_names(client)
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.llen(f"{_NAMESPACE}:{name}")
        pipe.llen(f"{_NAMESPACE}:{name}.DQ")
        pipe.zcard(f"{_NAMESPACE}:{name}.XQ")
        pipe.lindex(f"{_NAMESPACE}:{name}", 0)
    counts = iter(pipe.execute())
    figures, oldest = [], []
    for name in names:
        figures.append({"queue": name, "depth": next(counts), "delayed": next(counts), "dead": next(counts)})
        oldest.append((name, next(counts)))
    lags = _lags(client, oldest)
    roles, workers = process_registry.roles_seen(client), process_registry.workers_online(client)
    return [
        {**queue, "consumers": _consumers(queue["queue"], roles, workers), "lagSeconds": lag}
        for queue, lag in zip(figures, lags, strict=True)
    ]


def _lags(client: "redis.Redis", oldest: list[tuple[str, str | None]]) -> list[float]:
    pipe = client.pipeline(transaction=False)
    for name, message_id in oldest:
        pipe.hget(f"{_NAMESPACE}:{name}.msgs", message_id or "")
    now = time.time() * 1000
    sent = (_read(text).get("message_timestamp") for text in pipe.execute())
    return [round(max(0.0, now - at) / 1000, 1) if isinstance(at, int | float) else 0.0 for at in sent]


class DeadMessage(NamedTuple):
    """A message that its actor gave up on, without its arguments, which may be private."""

    id: str
    queue: str
    actor: str
    enqueued_at: datetime | None
    died_at: datetime


def dead_messages(client: "redis.Redis", limit: int) -> list[DeadMessage]:
    """Return the latest `limit` messages that actors gave up on, newest first. Raise `redis.RedisError`."""
    names = queue_names(client)
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.zrevrange(f"{_NAMESPACE}:{name}.XQ", 0, limit - 1, withscores=True)
    dead = [(score, name, key) for name, rows in zip(names, pipe.execute(), strict=True) for key, score in rows]
    dead = sorted(dead, reverse=True)[:limit]
    pipe = client.pipeline(transaction=False)
    for _, name, key in dead:
        pipe.hget(f"{_NAMESPACE}:{name}.XQ.msgs", key)
    return [
        _dead_message(score, name, key, _read(text))
        for (score, name, key), text in zip(dead, pipe.execute(), strict=True)
        if text is not None
    ]


def _dead_message(score: float, name: str, key: str, message: dict[str, Any]) -> DeadMessage:
    sent = message.get("message_timestamp")
    return DeadMessage(
        id=str(message.get("message_id") or key),
        queue=name,
        actor=str(message.get("actor_name") or "unknown"),
        enqueued_at=datetime.fromtimestamp(sent / 1000, UTC) if isinstance(sent, int | float) else None,
        died_at=datetime.fromtimestamp(score / 1000, UTC),
    )


def _read(text: str | None) -> dict[str, Any]:
    """Return the message in `text`; empty if it was deleted or is not readable."""
    try:
        message = json.loads(text or "{}")
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _consumers(name: str, roles: "dict[str, int]", workers: "dict[str, int]") -> int:
    """Return how many live processes consume the queue `name`."""
    central = sum(count for role, count in roles.items() if role != "web" and name in queues.of_process(role, ()))
    return central + sum(count for code, count in workers.items() if queues.execution(code) == name)


class Watch:
    """Publishes the figures on `CHANNEL` every two seconds. Its thread runs while the channel has streams."""

    def __init__(self, hub: Hub, client: "redis.Redis") -> None:
        self._hub = hub
        self._client = client
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def ensure(self) -> None:
        """Start the thread if it is not running. Call this after opening a stream of `CHANNEL`."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="queue-stats", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Stop the thread."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            try:
                event = self.event()
            except redis.RedisError as error:
                log.warning("queues could not be measured", error=type(error).__name__)
                continue
            with self._lock:
                if not self._hub.publish(CHANNEL, event):
                    self._thread = None
                    return

    def event(self) -> Event:
        """Return the current figures. Raise `redis.RedisError` if Redis does not respond."""
        return Event(measure(self._client), type="queues")
