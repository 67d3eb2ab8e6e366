"""Which locations left rounds unanswered lately: counted by the minute in Redis, for the page and the operator's warning.

A figure to look at, not one to decide by: with Redis it may be lost.
"""

import time
from collections import Counter
from collections.abc import Iterable

import redis
import structlog

log = structlog.get_logger(__name__)

#: Hash: `<code>:<minute since 1970>` -> unanswered rounds.
_KEY = "supercheck:unanswered"
KEPT_MINUTES = 60


def note(client: "redis.Redis", codes: Iterable[str]) -> None:
    """Count one unanswered round for each of `codes`. A broker that is away costs only the figure."""
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


def lately(client: "redis.Redis", minutes: int = KEPT_MINUTES) -> Counter[str]:
    """Location code -> rounds that it left unanswered in the last `minutes`; forgets older ones. Raises redis' errors."""
    now = int(time.time() // 60)
    found: Counter[str] = Counter()
    old = []
    for field, count in client.hgetall(_KEY).items():
        name = field.decode() if isinstance(field, bytes) else field
        code, _, minute = name.rpartition(":")
        age = now - int(minute)
        if age >= KEPT_MINUTES:
            old.append(name)
        elif age < minutes:
            found[code] += int(count)
    if old:
        client.hdel(_KEY, *old)
    return found
