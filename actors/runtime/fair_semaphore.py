"""A semaphore that is shared fairly among projects, so that one project's slow targets cannot take all permits.

A project gets another permit while it has fewer than nine times the number of free ones. So one project alone can take nine
tenths, two can take 99 %, and the next one still gets a permit. A released permit goes to the project that has fewest.
"""

from collections import deque
from collections.abc import Callable, Hashable
from threading import Lock

#: Permits that a project may have for each free one.
FAIRNESS_FACTOR = 9

Callback = Callable[[], None]


class FairSemaphore:
    """`capacity` permits. Thread-safe. The thread that releases a permit calls the next callback, so it must be short."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._total = 0
        self._held: dict[Hashable, int] = {}
        #: Ordered by when each project was last served, the most recently served project last.
        self._waiting: dict[Hashable, deque[Callback]] = {}
        self._lock = Lock()

    @property
    def idle(self) -> bool:
        """Return whether no permit is held or waited for."""
        return not self._total and not self._waiting

    def acquire(self, project: Hashable, callback: Callback) -> None:
        """Call `callback` when `project` has a permit: immediately, or later."""
        with self._lock:
            if project in self._waiting or not self._may_acquire(project):
                self._waiting.setdefault(project, deque()).append(callback)
                return
            self._grant(project)
        callback()

    def cancel(self, project: Hashable, callback: Callback) -> bool:
        """Stop waiting. Return False if the permit was already granted: then it must be released."""
        with self._lock:
            queue = self._waiting.get(project)
            if queue is None or callback not in queue:
                return False
            queue.remove(callback)
            if not queue:
                del self._waiting[project]
            return True

    def release(self, project: Hashable) -> None:
        """Return a permit."""
        callbacks: list[Callback] = []
        with self._lock:
            self._total -= 1
            self._held[project] -= 1
            if not self._held[project]:
                del self._held[project]
            while (callback := self._grant_next()) is not None:
                callbacks.append(callback)
        for callback in callbacks:
            callback()

    def _may_acquire(self, project: Hashable) -> bool:
        free = self._capacity - self._total
        return free > 0 and self._held.get(project, 0) < FAIRNESS_FACTOR * free

    def _grant(self, project: Hashable) -> None:
        self._total += 1
        self._held[project] = self._held.get(project, 0) + 1

    def _grant_next(self) -> Callback | None:
        """Grant a permit to the waiting project that has fewest. Return None if none may have another one."""
        if not self._waiting:
            return None
        project = min(self._waiting, key=lambda waiting: self._held.get(waiting, 0))
        if not self._may_acquire(project):
            return None
        queue = self._waiting.pop(project)
        callback = queue.popleft()
        if queue:
            self._waiting[project] = queue
        self._grant(project)
        return callback
