"""Recent faults of workers, counted per minute in Redis, for the operator's warnings.

The counts may be lost with Redis, so nothing else depends on them.
"""

import asyncio
import time
from collections import Counter
from typing import NamedTuple

import redis
import structlog

from actors.probes.worker_fault import SENTENCES, WorkerFault

log = structlog.get_logger(__name__)

#: Hash: `<location>:<fault>:<minute since 1970>` -> checks that failed because of it.
_KEY = "supercheck:troubles"
KEPT_MINUTES = 10
#: Faults are collected for so long before they are sent: a dead name server fails thousands of checks at the same time.
COLLECT_SECONDS = 1.0

_VALUES = frozenset(fault.value for fault in WorkerFault)


class FaultKey(NamedTuple):
    """A fault of the workers of one location."""

    location: str
    fault: WorkerFault


class FaultCounts:
    """Collects the faults of one process. Not thread-safe: the engine calls it on its event loop."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._counts: Counter[FaultKey] = Counter()
        self._sending: asyncio.Task[None] | None = None

    def put(self, location: str, fault: WorkerFault) -> None:
        """Count one check that failed because of `fault`."""
        self._counts[FaultKey(location, fault)] += 1
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def drain(self) -> None:
        """Return when all counts are sent."""
        if self._sending is not None:
            await self._sending

    async def _send(self) -> None:
        try:
            while self._counts:
                await asyncio.sleep(COLLECT_SECONDS)
                counts, self._counts = self._counts, Counter()
                await asyncio.to_thread(record, self._client, counts)
        finally:
            self._sending = None


def record(client: "redis.Redis", counts: "Counter[FaultKey]") -> None:
    """Add `counts` to the stored ones. If Redis is unreachable, they are lost."""
    minute = int(time.time() // 60)
    pipe = client.pipeline(transaction=False)
    for key, checks in counts.items():
        pipe.hincrby(_KEY, f"{key.location}:{key.fault.value}:{minute}", checks)
    pipe.expire(_KEY, (KEPT_MINUTES + 1) * 60)
    try:
        pipe.execute()
    except redis.RedisError as error:
        log.warning("could not store fault counts", checks=counts.total(), error=type(error).__name__)


def recent(client: "redis.Redis") -> "Counter[FaultKey]":
    """Return the checks that failed in the last `KEPT_MINUTES`, by fault; delete older ones. Raise redis' errors."""
    now = int(time.time() // 60)
    counts: Counter[FaultKey] = Counter()
    old = []
    for field, count in client.hgetall(_KEY).items():
        name = field.decode() if isinstance(field, bytes) else field
        location, word, minute = name.split(":")
        if now - int(minute) >= KEPT_MINUTES:
            old.append(name)
        elif word in _VALUES:
            counts[FaultKey(location, WorkerFault(word))] += int(count)
    if old:
        client.hdel(_KEY, *old)
    return counts


def sentence(key: FaultKey, checks: int) -> str:
    """Return the warning for operators."""
    times = "1 check was" if checks == 1 else f"{checks} checks were"
    worker = f"A check worker of location {key.location}" if key.location else "A check worker"
    return f"{worker} {SENTENCES[key.fault]} {times} not made in the last {KEPT_MINUTES} minutes because of it."
