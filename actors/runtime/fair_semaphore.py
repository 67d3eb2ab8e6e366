"""Places shared among projects, so that nobody's slow targets take them all.

A project gets another place while it has fewer than nine times of what is free. So one project alone may fill nine
tenths, two may fill all but a hundredth, and the next one still finds room. Places that become free go to the project that has fewest.
"""

from collections import deque
from collections.abc import Callable, Hashable
from threading import Lock

#: Places a project may have for each one that is free.
FACTOR = 9

Start = Callable[[], None]


class FairSemaphore:
    """`limit` places. Any thread may call it; `start` is called by whoever makes the place free, so it must be short."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._total = 0
        self._taken: dict[Hashable, int] = {}
        #: In the order in which the projects were served: who was served last stands last.
        self._waiting: dict[Hashable, deque[Start]] = {}
        self._lock = Lock()

    @property
    def idle(self) -> bool:
        """Whether no place is taken, and nobody waits."""
        return not self._total and not self._waiting

    def enter(self, project: Hashable, start: Start) -> None:
        """Call `start` once there is a place for `project`: at once, or later."""
        with self._lock:
            if project in self._waiting or not self._may(project):
                self._waiting.setdefault(project, deque()).append(start)
                return
            self._take(project)
        start()

    def withdraw(self, project: Hashable, start: Start) -> bool:
        """Wait no longer. False where `start` has its place already: it must be left."""
        with self._lock:
            queue = self._waiting.get(project)
            if queue is None or start not in queue:
                return False
            queue.remove(start)
            if not queue:
                del self._waiting[project]
            return True

    def leave(self, project: Hashable) -> None:
        """Give a place back."""
        starts: list[Start] = []
        with self._lock:
            self._total -= 1
            self._taken[project] -= 1
            if not self._taken[project]:
                del self._taken[project]
            while (following := self._next()) is not None:
                starts.append(following)
        for start in starts:
            start()

    def _may(self, project: Hashable) -> bool:
        free = self._limit - self._total
        return free > 0 and self._taken.get(project, 0) < FACTOR * free

    def _take(self, project: Hashable) -> None:
        self._total += 1
        self._taken[project] = self._taken.get(project, 0) + 1

    def _next(self) -> Start | None:
        """Take a place for the waiting project that has fewest; None where none may have another one."""
        if not self._waiting:
            return None
        project = min(self._waiting, key=lambda one: self._taken.get(one, 0))
        if not self._may(project):
            return None
        queue = self._waiting.pop(project)
        start = queue.popleft()
        if queue:
            self._waiting[project] = queue
        self._take(project)
        return start
