"""Bounds the checks that run at once, those of one host and all together; projects share the places fairly.

Only our own connections are counted, never how the host answers: a host that is down is checked as ever.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from functools import partial

from actors.runtime.fair_semaphore import FairSemaphore


@asynccontextmanager
async def place(share: FairSemaphore, project: Hashable) -> AsyncIterator[None]:
    """A place of `share` for the length of an `async with`; whoever needs one waits for it."""
    await _enter(share, project)
    try:
        yield
    finally:
        share.leave(project)


async def _enter(share: FairSemaphore, project: Hashable) -> None:
    loop = asyncio.get_running_loop()
    turn = loop.create_future()
    start = partial(_wake, turn)
    share.enter(project, start)
    if turn.done():
        return
    try:
        await turn
    except asyncio.CancelledError:
        if not share.withdraw(project, start):
            share.leave(project)  # the place had just been handed over
        raise


def _wake(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_result(None)


class HostRoom:
    """Room for `limit` checks of each host. Belongs to one event loop; costs next to nothing while there is room."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._hosts: dict[str, FairSemaphore] = {}

    @asynccontextmanager
    async def at(self, host: str, project: Hashable = None) -> AsyncIterator[None]:
        """A place at `host` for the length of an `async with`; an empty name is no host and bounds nothing."""
        if not host:
            yield
            return
        share = self._hosts.get(host)
        if share is None:
            share = self._hosts[host] = FairSemaphore(self._limit)
        try:
            async with place(share, project):
                yield
        finally:
            if share.idle and self._hosts.get(host) is share:
                del self._hosts[host]
