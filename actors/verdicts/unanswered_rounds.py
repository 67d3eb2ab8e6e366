"""Counts the rounds that each location left unanswered, per minute in Redis, for the page and the operator's warning.

The count is for display only: no decision depends on it, and it may be lost with Redis.
"""

import time
from collections import Counter
from collections.abc import Iterable

import redis
import structlog

log = structlog.get_logger(__name__)

#: Hash: `<location code>:<minute since 1970>` -> unanswered rounds.
_KEY = "supercheck:unanswered"
KEPT_MINUTES = 60


def record(client: "redis.Redis", codes: Iterable[str]) -> None:
    """Count one unanswered round for each of `codes`. If Redis is down, only the count is lost."""
    counted = Counter(codes)
    if not counted:
        return
    minute = int(time.time() // 60)
    pipe = client.pipeline(transaction=False)
    for code, rounds in counted.items():
        pipe.hincrby(_KEY, f"{code}:{minute}", rounds)
    pipe.expire(_KEY, (KEPT_MINUTES + 1) * 60)
    try:
        pipe.execute()
    except redis.RedisError as error:
        log.warning("unanswered rounds were not counted", rounds=counted.total(), error=type(error).__name__)


def recent(client: "redis.Redis", minutes: int = KEPT_MINUTES) -> Counter[str]:
    """Return location code -> unanswered rounds of the last `minutes`, and delete expired counts. Raises redis' errors."""
    now = int(time.time() // 60)
    unanswered: Counter[str] = Counter()
    expired = []
    for field, count in client.hgetall(_KEY).items():
        name = field.decode() if isinstance(field, bytes) else field
        code, _, minute = name.rpartition(":")
        age = now - int(minute)
        if age >= KEPT_MINUTES:
            expired.append(name)
        elif age < minutes:
            unanswered[code] += int(count)
    if expired:
        client.hdel(_KEY, *expired)
    return unanswered
