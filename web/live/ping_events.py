"""Live events for pings that the pipeline does not see: decided successes, starts and logs.

Handling a ping only appends to a queue. A thread publishes the queued pings in batches.
"""

import threading
from collections import deque
from typing import TYPE_CHECKING
from uuid import UUID

from models.queries.pings import Kind, Ping, Recorded
from models.queries.rounds import LocationResult

if TYPE_CHECKING:
    from actors.verdicts import live

#: Pages do not update more often than this.
PAUSE_SECONDS = 0.25
#: The oldest pings of a larger batch are dropped: a page fetches all that it shows.
MAX_QUEUED = 1000


class PingEvents:
    """The publisher of a process. Its thread starts with the first ping."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Ping, Recorded]] = deque(maxlen=MAX_QUEUED)
        self._some = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def publish(self, ping: Ping, recorded: Recorded) -> None:
        """Queue an event for `ping`, unless the pipeline publishes one."""
        if recorded.undecided or recorded.status is None:
            return
        self._waiting.append((ping, recorded))
        if not self._some.is_set():
            self._some.set()
            if self._thread is None:
                self._begin()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ping-events", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        from actors.verdicts import live  # connects at import, which only a process with settings can

        while True:
            self._some.wait()
            # Pings that arrive during the pause are in the same batch.
            threading.Event().wait(PAUSE_SECONDS)
            self._some.clear()
            newest: dict[UUID, live.Event] = {}
            while self._waiting:
                ping, recorded = self._waiting.popleft()
                newest[recorded.monitor_id] = _event(ping, recorded)
            live.publish(list(newest.values()))


def _event(ping: Ping, recorded: Recorded) -> "live.Event":
    from actors.verdicts import live

    result = None
    if ping.kind is Kind.SUCCESS:
        result = LocationResult(
            recorded.monitor_id, ping.received_at, None, [], "up", recorded.duration_ms, None, None, ping.received_at
        )
    status = str(recorded.status)
    return live.Event(
        recorded.project_id, recorded.monitor_id, status, status, ping.received_at, recorded.next_run_at, result
    )
