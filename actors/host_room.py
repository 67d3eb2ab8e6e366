"""Bounds the checks of one host that run at once; the others wait for their turn, in the order in which they came.

Only our own connections are counted, never how the host answers: a host that is down is checked as ever.
"""

import asyncio
from collections import deque
from types import TracebackType


class HostRoom:
    """Room for `limit` checks of each host. Belongs to one event loop; costs nothing while there is room."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def at(self, host: str) -> "_Place":
        """A place at `host` for the length of an `async with`; an empty name is no host and bounds nothing."""
        return _Place(self, host)

    async def enter(self, host: str) -> None:
        """Take a place, once there is one."""
        taken = self._taken.get(host, 0)
        if taken < self._limit:
            self._taken[host] = taken + 1
            return
        place = asyncio.get_running_loop().create_future()
        queue = self._waiting.setdefault(host, deque())
        queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                queue.remove(place)
            else:
                self.leave(host)  # the place had just been handed over
            raise

    def leave(self, host: str) -> None:
        """Hand the place to whoever waits longest, or give it back."""
        queue = self._waiting.get(host)
        while queue:
            place = queue.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._waiting.pop(host, None)
        left = self._taken[host] - 1
        if left:
            self._taken[host] = left
        else:
            del self._taken[host]


class _Place:
    __slots__ = ("_host", "_room")

    def __init__(self, room: HostRoom, host: str) -> None:
        self._room = room
        self._host = host

    async def __aenter__(self) -> None:
        if self._host:
            await self._room.enter(self._host)

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._host:
            self._room.leave(self._host)
