"""The threads of this process that make deliveries, and how many of them one project may use.

A fixed number would either leave threads idle or let a few projects with slow services take them all. A project gets a
place while it has fewer than half of what is free, so that there is always one for the next project.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import settings
from models.queries import delivery_capacity


class DeliveryThreads:
    """Counts which of `count` threads are at work. Any thread may call it."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._busy = 0
        self._lock = Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count the calling thread as busy inside."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def share(self) -> int:
        """How many deliveries of one project may be in flight now, at least 1; to be asked by a busy thread."""
        with self._lock:
            others = self._busy - 1
        return max(1, min(delivery_capacity.PER_PROJECT, (self._count - others) // 2))


threads = DeliveryThreads(settings.get().delivery_threads)
