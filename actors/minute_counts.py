"""Counts by the minute, in one Redis hash for each kind: figures to look at. They may be lost with Redis."""

import time
from collections import Counter

import redis
import structlog

log = structlog.get_logger(__name__)


class MinuteCounts:
    """The counts of one kind. `key` names the hash: `<subject>:<minute since 1970>` -> count. Kept for `kept_minutes`."""

    def __init__(self, key: str, kept_minutes: int) -> None:
        self._key = key
        self._kept_minutes = kept_minutes

    def add(self, client: "redis.Redis", counts: "Counter[str]") -> None:
        """Add `counts` by subject to the current minute. If Redis is down, only the figure is lost."""
        if not counts:
            return
        minute = int(time.time() // 60)
        pipe = client.pipeline(transaction=False)
        for subject, count in counts.items():
            pipe.hincrby(self._key, f"{subject}:{minute}", count)
        pipe.expire(self._key, (self._kept_minutes + 1) * 60)
        try:
            pipe.execute()
        except redis.RedisError as error:
            log.warning("counts were lost", key=self._key, lost=counts.total(), error=type(error).__name__)

    def recent(self, client: "redis.Redis", minutes: int | None = None) -> "Counter[str]":
        """Return the counts of the last `minutes` by subject; delete what is older than is kept. Raise redis' errors."""
        now = int(time.time() // 60)
        found: Counter[str] = Counter()
        old = []
        for field, count in client.hgetall(self._key).items():
            name = field.decode() if isinstance(field, bytes) else field
            subject, _, minute = name.rpartition(":")
            age = now - int(minute)
            if age >= self._kept_minutes:
                old.append(name)
            elif age < (minutes or self._kept_minutes):
                found[subject] += int(count)
        if old:
            client.hdel(self._key, *old)
        return found
