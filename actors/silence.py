"""Which locations left rounds unanswered lately: counted by the minute in Redis, for the page and the operator's warning.

A figure to look at, not one to decide by: with Redis it may be lost.
"""

from collections import Counter
from collections.abc import Iterable

import redis

from actors.minute_counts import MinuteCounts

#: Hash: `<code>:<minute since 1970>` -> unanswered rounds.
_KEY = "supercheck:unanswered"
KEPT_MINUTES = 60


_counts = MinuteCounts(_KEY, KEPT_MINUTES)


def note(client: "redis.Redis", codes: Iterable[str]) -> None:
    """Count one unanswered round for each of `codes`. If the broker is down, only the figure is lost."""
    _counts.add(client, Counter(codes))


def lately(client: "redis.Redis", minutes: int = KEPT_MINUTES) -> Counter[str]:
    """Return location code -> rounds that it left unanswered in the last `minutes`. Raise redis' errors."""
    return _counts.recent(client, minutes)
