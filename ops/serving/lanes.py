"""Lanes: threads of their own for pings, for health and for everything else, so that none waits behind another."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

Answer = TypeVar("Answer")


class Full(Exception):
    """No place becomes free in time."""


class Turns:
    """`places` that requests hold while they need one; of one key's requests at most `share` have one at once.

    `patience` is how long a request waits for its turn, `queue` how many may wait.
    """

    def __init__(self, places: int, *, share: int | None = None, patience: float = 20.0, queue: int = 1000) -> None:
        self._free = asyncio.Semaphore(places)
        self._share = share
        self._patience = patience
        self._queue = queue
        self._waiting = 0
        self._turns: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}

    @asynccontextmanager
    async def turn(self, keys: Sequence[str]) -> AsyncIterator[None]:
        """Hold a place inside the block. Raises `Full`."""
        keys = list(dict.fromkeys(keys)) if self._share else []
        held: list[asyncio.Semaphore] = []
        used = [self._use(key) for key in keys]
        try:
            if all(not one.locked() for one in (*used, self._free)):
                for one in (*used, self._free):
                    await one.acquire()  # at once: none of them is locked
                    held.append(one)
            else:
                await self._wait([*used, self._free], held)
            yield
        finally:
            for one in held:
                one.release()
            for key in keys:
                self._unuse(key)

    async def _wait(self, wanted: Sequence[asyncio.Semaphore], held: list[asyncio.Semaphore]) -> None:
        if self._waiting >= self._queue:
            raise Full
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                for one in wanted:
                    await one.acquire()
                    held.append(one)
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
    """So many threads, begun when they are needed; the rest is as with `Turns`."""

    def __init__(
        self, name: str, threads: int, *, share: int | None = None, patience: float = 20.0, queue: int = 1000
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._turns = Turns(threads, share=share, patience=patience, queue=queue)

    async def run(self, work: Callable[[], Answer], keys: Sequence[str] = ()) -> Answer:
        """What `work` returns, done by a thread. Raises `Full`, and what `work` raises."""
        async with self._turns.turn(keys):
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
