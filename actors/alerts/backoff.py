"""When a delivery is tried again. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta

#: Seconds to the second attempt, the third, and so on; the last repeats until the day is over. The sweep, which looks
#: every two seconds, comes on top: the first retry is within 5 s, the second within 20, on a busy machine as well.
_DELAYS = (1.5, 12, 60, 240, 900, 1800, 3600, 7200, 14400)
#: Nothing is retried longer than this after its creation.
GIVE_UP_AFTER = timedelta(days=1)


def next_attempt(
    attempts: int, created_at: datetime, now: datetime, asked: float | None, jitter: Callable[[], float]
) -> datetime | None:
    """When to try again after `attempts` failed ones; None to give up.

    `asked` is the service's own `Retry-After` in seconds, which only lengthens the wait. `jitter` answers 0 to 1 and
    shortens it by up to a quarter, so that many deliveries do not come back at once.
    """
    delay = _DELAYS[min(attempts, len(_DELAYS)) - 1] * (1 - jitter() / 4)
    at = now + timedelta(seconds=max(delay, asked or 0))
    return at if at <= created_at + GIVE_UP_AFTER else None
