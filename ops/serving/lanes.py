"""Lanes: separate threads for pings, for health checks and for everything else, so that none waits behind another."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

Answer = TypeVar("Answer")


class Full(Exception):
    """No place became free in time."""


class Turns:
    """A number of `places`, each held by one request at a time. The requests of one key hold at most `share` of them.

    A request waits at most `timeout` seconds for a place, and at most `queue` requests wait.
    """

    def __init__(self, places: int, *, share: int | None = None, timeout: float = 20.0, queue: int = 1000) -> None:
        self._free = asyncio.Semaphore(places)
        self._share = share
        self._timeout = timeout
        self._queue = queue
        self._waiting = 0
        self._turns: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}

    @asynccontextmanager
    async def turn(self, keys: Sequence[str]) -> AsyncIterator[None]:
        """Hold a place inside the block. Raise `Full` if none becomes free in time."""
        keys = list(dict.fromkeys(keys)) if self._share else []
        held: list[asyncio.Semaphore] = []
        used = [self._use(key) for key in keys]
        try:
            if all(not semaphore.locked() for semaphore in (*used, self._free)):
                for semaphore in (*used, self._free):
                    await semaphore.acquire()  # returns at once: none of them is locked
                    held.append(semaphore)
            else:
                await self._wait([*used, self._free], held)
            yield
        finally:
            for semaphore in held:
                semaphore.release()
            for key in keys:
                self._unuse(key)

    async def _wait(self, wanted: Sequence[asyncio.Semaphore], held: list[asyncio.Semaphore]) -> None:
        if self._waiting >= self._queue:
            raise Full
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeout):
                for semaphore in wanted:
                    await semaphore.acquire()
                    held.append(semaphore)
        except TimeoutError:
            raise Full from None
        finally:
            self._waiting -= 1

    def _use(self, key: str) -> asyncio.Semaphore:
        semaphore, users = self._turns.setdefault(key, (asyncio.Semaphore(self._share or 1), []))
        users.append(None)
        return semaphore

    def _unuse(self, key: str) -> None:
        _, users = self._turns[key]
        users.pop()
        if not users:
            del self._turns[key]


class Lane:
    """A pool of `threads`, which start when they are needed. The other arguments are those of `Turns`."""

    def __init__(
        self, name: str, threads: int, *, share: int | None = None, timeout: float = 20.0, queue: int = 1000
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._turns = Turns(threads, share=share, timeout=timeout, queue=queue)

    async def run(self, work: Callable[[], Answer], keys: Sequence[str] = ()) -> Answer:
        """Call `work` in a thread; return its result or raise its error. Raise `Full` if no thread becomes free in time."""
        async with self._turns.turn(keys):
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
