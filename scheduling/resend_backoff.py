"""How often the sweep sends again what it finds undone, sweep after sweep.

What was only lost on its way is done after one or two more sendings. What fails each time, for a fault of ours in that one
row, must not fill the queue for ever: it is sent ever more seldom, but never given up, for it may be an outage.
"""

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)

#: Sent at every sweep so often; after that, pauses double from `FIRST` to `LONGEST`.
AT_ONCE = 3
FIRST = timedelta(seconds=4)
LONGEST = timedelta(minutes=1)
#: Sent so often in vain, some three minutes, it is the operator's business.
STUBBORN = 9


class _Sent(NamedTuple):
    times: int
    again_at: datetime


class Insistence(Generic[Key]):
    """What this process has sent and still finds; a restart forgets it, which only sends once more."""

    def __init__(self) -> None:
        self._sent: dict[Key, _Sent] = {}
        self._lock = Lock()

    def due(self, found: Iterable[Key], now: datetime) -> list[Key]:
        """Those of `found` to send now, in their order; what is no longer found is forgotten."""
        with self._lock:
            known = {key: self._sent.get(key, _Sent(0, now)) for key in found}
            due = [key for key, sent in known.items() if sent.again_at <= now]
            known |= {key: _Sent(known[key].times + 1, now + pause(known[key].times + 1)) for key in due}
            self._sent = known
            return due

    def stubborn(self) -> list[Key]:
        """What was sent too often in vain."""
        with self._lock:
            return [key for key, sent in self._sent.items() if sent.times >= STUBBORN]


def pause(times: int) -> timedelta:
    """How long to wait after the `times`-th sending."""
    beyond = times - AT_ONCE
    return timedelta() if beyond < 0 else min(LONGEST, FIRST * 2 ** min(beyond, 10))
