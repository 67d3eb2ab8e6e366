"""All open connections. If there are too many, connections that wait for their client are closed.

A new connection is always accepted if another one waits for its client: of the client with the most connections, the
oldest waiting one is closed. So a client that opens thousands of connections closes only its own.
"""

from typing import Protocol

MOST = 4096
MOST_AN_ADDRESS = 512


class Member(Protocol):
    """The part of a connection that this module uses."""

    #: When its client must have sent its data; None while the server works or the client reads.
    deadline: float | None

    def drop(self) -> None:
        """End the connection now."""

    def time_out(self) -> None:
        """End the connection because its client is too slow."""

    def is_late(self, now: float) -> bool:
        """Return whether its client is too slow; `now` is monotonic."""


class Crowd:
    """All open connections by source, which is a client or a proxy. Used by the event loop's thread only."""

    def __init__(self, most: int = MOST, most_a_source: int = MOST_AN_ADDRESS) -> None:
        self._most = most
        self._most_a_source = most_a_source
        #: In the order in which they were opened.
        self._by_source: dict[str, dict[Member, None]] = {}
        self._source_of: dict[Member, str] = {}

    def add(self, member: Member, source: str, *, capped: bool) -> None:
        """Add `member`. If there are too many, close another connection that waits for its client.

        `capped` limits `source` to `most_a_source` connections: it is a client, not a proxy.
        """
        theirs = self._by_source.get(source, {})
        if capped and len(theirs) >= self._most_a_source:
            self._evict(theirs)
        elif len(self._source_of) >= self._most:
            self._evict(max(self._by_source.values(), key=len))
        self._by_source.setdefault(source, {})[member] = None
        self._source_of[member] = source

    def move(self, member: Member, source: str, *, capped: bool) -> None:
        """Count `member` for `source` from now on, if it is open."""
        if self._source_of.get(member, source) != source:
            self.remove(member)
            self.add(member, source, capped=capped)

    def remove(self, member: Member) -> None:
        """Remove `member`; do nothing if it was removed before."""
        source = self._source_of.pop(member, None)
        if source is not None:
            theirs = self._by_source[source]
            del theirs[member]
            if not theirs:
                del self._by_source[source]

    def count_of(self, source: str) -> int:
        """Return how many connections count for `source`."""
        return len(self._by_source.get(source, ()))

    def _evict(self, among: dict[Member, None]) -> None:
        waiting = (member for member in among if member.deadline is not None)
        # If all of them are handling requests, close the newest: it loses the least work.
        victim = next(waiting, None) or next(reversed(among))
        self.remove(victim)
        victim.drop()

    def sweep(self, now: float) -> None:
        """Drop every connection whose client is too slow. `now` is monotonic."""
        for member in list(self._source_of):
            if member.is_late(now):
                member.time_out()
