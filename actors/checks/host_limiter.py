"""Limits how many checks run at the same time: per host and in total, shared fairly among projects.

Only the worker's own connections count, never how a host responds: a host that is down is checked as usual.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from functools import partial

from actors.runtime.fair_semaphore import FairSemaphore


@asynccontextmanager
async def permit(semaphore: FairSemaphore, project: Hashable) -> AsyncIterator[None]:
    """Hold a permit of `semaphore` during an `async with`. Wait until one is free."""
    await _acquire(semaphore, project)
    try:
        yield
    finally:
        semaphore.release(project)


async def _acquire(semaphore: FairSemaphore, project: Hashable) -> None:
    acquired = asyncio.get_running_loop().create_future()
    callback = partial(_resolve, acquired)
    semaphore.acquire(project, callback)
    if acquired.done():
        return
    try:
        await acquired
    except asyncio.CancelledError:
        if not semaphore.cancel(project, callback):
            # The permit was granted just before the cancellation.
            semaphore.release(project)
        raise


def _resolve(acquired: "asyncio.Future[None]") -> None:
    if not acquired.done():
        acquired.set_result(None)


class HostLimiter:
    """Permits for `capacity` checks of each host. Not thread-safe: it belongs to one event loop."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._hosts: dict[str, FairSemaphore] = {}

    @asynccontextmanager
    async def permit(self, host: str, project: Hashable = None) -> AsyncIterator[None]:
        """Hold a permit for `host` during an `async with`. An empty host is not limited."""
        if not host:
            yield
            return
        semaphore = self._hosts.get(host)
        if semaphore is None:
            semaphore = self._hosts[host] = FairSemaphore(self._capacity)
        try:
            async with permit(semaphore, project):
                yield
        finally:
            if semaphore.idle and self._hosts.get(host) is semaphore:
                del self._hosts[host]
