"""How often the sweep resends the unfinished work that it finds.

A message that was lost is done after one or two resends. Work that fails every time, because of a bug that one row
triggers, must not fill the queue: it is resent less and less often. It is never given up, because it may be an outage.
"""

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)

#: This many times, work is sent at every sweep. After that, the pauses double from `FIRST_PAUSE` to `LONGEST_PAUSE`.
IMMEDIATE_SENDS = 3
FIRST_PAUSE = timedelta(seconds=4)
LONGEST_PAUSE = timedelta(minutes=1)
#: Work that was sent this many times, over about three minutes, counts as stuck.
STUCK_AFTER = 9


class _Sent(NamedTuple):
    times: int
    next_at: datetime


class ResendBackoff(Generic[Key]):
    """What this process has sent and still finds unfinished. A restart forgets it, at the cost of one more resend."""

    def __init__(self) -> None:
        self._sent: dict[Key, _Sent] = {}
        self._lock = Lock()

    def due(self, unfinished: Iterable[Key], now: datetime) -> list[Key]:
        """Return those of `unfinished` to send now, in their order. Forget all keys that are not in `unfinished`."""
        with self._lock:
            known = {key: self._sent.get(key, _Sent(0, now)) for key in unfinished}
            due = [key for key, sent in known.items() if sent.next_at <= now]
            known |= {key: _Sent(known[key].times + 1, now + pause(known[key].times + 1)) for key in due}
            self._sent = known
            return due

    def stuck(self) -> list[Key]:
        """Return what was sent `STUCK_AFTER` times or more and is still unfinished."""
        with self._lock:
            return [key for key, sent in self._sent.items() if sent.times >= STUCK_AFTER]


def pause(times: int) -> timedelta:
    """Return how long to wait after the `times`-th send."""
    beyond = times - IMMEDIATE_SENDS
    return timedelta() if beyond < 0 else min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(beyond, 10))
