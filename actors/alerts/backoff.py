"""When to retry a delivery. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta

#: Seconds before the second attempt, the third, and so on; the last one repeats. The sweep runs every two seconds and adds
#: to them: the first retry is made within 5 seconds, the second within 20, on a busy machine as well.
_DELAYS = (1.5, 12, 60, 240, 900, 1800, 3600, 7200, 14400)
#: A delivery fails permanently if it is older than this.
GIVE_UP_AFTER = timedelta(days=1)


def next_attempt(
    attempts: int, created_at: datetime, now: datetime, retry_after: float | None, jitter: Callable[[], float]
) -> datetime | None:
    """Return when to retry after `attempts` failures; None to give up.

    `retry_after` is the service's `Retry-After` in seconds; it can only lengthen the delay. `jitter` returns 0 to 1 and
    shortens the delay by up to a quarter, so that many deliveries are not retried at the same moment.
    """
    delay = _DELAYS[min(attempts, len(_DELAYS)) - 1] * (1 - jitter() / 4)
    at = now + timedelta(seconds=max(delay, retry_after or 0))
    return at if at <= created_at + GIVE_UP_AFTER else None
