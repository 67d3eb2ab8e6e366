"""All open connections: when there are too many, those that wait for their client give way.

A new connection always gets in if any other one waits for its client: the oldest of the client that has the most is
closed for it. So a stranger who opens thousands closes only their own.
"""

from typing import Protocol

MOST = 4096
MOST_AN_ADDRESS = 512


class Member(Protocol):
    """A connection, as far as this module needs it."""

    #: Until when its client has to send what we wait for; None while we work or it reads.
    deadline: float | None

    def drop(self) -> None:
        """End the connection now."""

    def time_out(self) -> None:
        """End the connection, because its client is too slow."""

    def is_late(self, now: float) -> bool:
        """Whether its client is too slow; `now` is monotonic."""


class Crowd:
    """All open connections, by whom they count for. Used by the event loop's thread only."""

    def __init__(self, most: int = MOST, most_a_source: int = MOST_AN_ADDRESS) -> None:
        self._most = most
        self._most_a_source = most_a_source
        #: In the order of their begin.
        self._by_source: dict[str, dict[Member, None]] = {}
        self._source_of: dict[Member, str] = {}

    def add(self, one: Member, source: str, *, capped: bool) -> None:
        """Take `one` in; where there are too many, another one that waits for its client is closed.

        `capped` says whether `source` is a client, which may have `most_a_source` connections at once.
        """
        theirs = self._by_source.get(source, {})
        if capped and len(theirs) >= self._most_a_source:
            self._evict(theirs)
        elif len(self._source_of) >= self._most:
            self._evict(max(self._by_source.values(), key=len))
        self._by_source.setdefault(source, {})[one] = None
        self._source_of[one] = source

    def move(self, one: Member, source: str, *, capped: bool) -> None:
        """Have `one`, where it is open, count for `source` from now on."""
        if self._source_of.get(one, source) != source:
            self.remove(one)
            self.add(one, source, capped=capped)

    def remove(self, one: Member) -> None:
        """Forget `one`; a second time does nothing."""
        source = self._source_of.pop(one, None)
        if source is not None:
            theirs = self._by_source[source]
            del theirs[one]
            if not theirs:
                del self._by_source[source]

    def count_of(self, source: str) -> int:
        """How many connections count for `source`."""
        return len(self._by_source.get(source, ()))

    def _evict(self, among: dict[Member, None]) -> None:
        waiting = (one for one in among if one.deadline is not None)
        # With nothing but requests under way, the newest of them is the least work lost.
        victim = next(waiting, None) or next(reversed(among))
        self.remove(victim)
        victim.drop()

    def sweep(self, now: float) -> None:
        """Drop every connection whose client is too slow. `now` is monotonic."""
        for one in list(self._source_of):
            if one.is_late(now):
                one.time_out()
