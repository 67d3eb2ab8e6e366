"""The threads of this process that make deliveries, and how many of them one project may use.

A fixed share would either leave threads idle, or let a few projects with slow services use all of them. A project may
use at most half of the free threads, so that another project always finds one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import settings
from models.queries import delivery_capacity


class DeliveryThreads:
    """Counts the busy ones among `count` threads. Thread-safe."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._busy = 0
        self._lock = Lock()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count the calling thread as busy."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def share(self) -> int:
        """Return how many deliveries of one project may be in flight, at least 1. Call it from a busy thread."""
        with self._lock:
            others = self._busy - 1
        return max(1, min(delivery_capacity.PER_PROJECT, (self._count - others) // 2))


threads = DeliveryThreads(settings.get().delivery_threads)
