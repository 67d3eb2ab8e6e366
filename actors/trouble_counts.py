"""What workers lacked lately: counted by the minute in Redis, for the operator's warnings.

A figure to look at, not one to decide by: it may be lost with Redis.
"""

import asyncio
from collections import Counter
from typing import NamedTuple

import redis

from actors.minute_counts import MinuteCounts
from actors.trouble import SENTENCES, Trouble

#: Hash: `<location>:<trouble>:<minute since 1970>` -> checks that failed because of it.
_KEY = "supercheck:troubles"
KEPT_MINUTES = 10
#: Troubles are gathered for so long: a dead name server fails thousands of checks at once.
GATHER_SECONDS = 1.0


_counts = MinuteCounts(_KEY, KEPT_MINUTES)
_WORDS = frozenset(one.value for one in Trouble)


class Lack(NamedTuple):
    """A trouble of the workers of one location."""

    location: str
    trouble: Trouble


class TroubleCounts:
    """Gathers the troubles of one process. Belongs to the engine's loop."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._gathered: Counter[Lack] = Counter()
        self._sending: asyncio.Task[None] | None = None

    def put(self, location: str, trouble: Trouble) -> None:
        """Count one check that failed because of `trouble`."""
        self._gathered[Lack(location, trouble)] += 1
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def drain(self) -> None:
        """Send what is gathered."""
        if self._sending is not None:
            await self._sending

    async def _send(self) -> None:
        try:
            while self._gathered:
                await asyncio.sleep(GATHER_SECONDS)
                gathered, self._gathered = self._gathered, Counter()
                await asyncio.to_thread(note, self._client, gathered)
        finally:
            self._sending = None


def note(client: "redis.Redis", gathered: "Counter[Lack]") -> None:
    """Add to the counts. If Redis is down, only the figure is lost."""
    _counts.add(client, Counter({f"{lack.location}:{lack.trouble.value}": checks for lack, checks in gathered.items()}))


def lately(client: "redis.Redis") -> "Counter[Lack]":
    """Return the checks that failed in the last `KEPT_MINUTES`, by trouble. Raise redis' errors."""
    found: Counter[Lack] = Counter()
    for subject, checks in _counts.recent(client).items():
        location, _, word = subject.rpartition(":")
        if word in _WORDS:
            found[Lack(location, Trouble(word))] += checks
    return found


def sentence(lack: Lack, checks: int) -> str:
    """Return the warning for operators."""
    times = "1 check was" if checks == 1 else f"{checks} checks were"
    worker = f"A check worker of location {lack.location}" if lack.location else "A check worker"
    return f"{worker} {SENTENCES[lack.trouble]} {times} not made in the last {KEPT_MINUTES} minutes because of it."
