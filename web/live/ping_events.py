"""Lets open pages know of pings that the pipeline does not hear of: settled successes, starts and logs.

A ping pays for an append; a thread tells of all that came in a moment, and only where somebody listens.
"""

import threading
from collections import deque
from typing import TYPE_CHECKING
from uuid import UUID

from models.queries.pings import Kind, Ping, Recorded
from models.queries.rounds import Measured

if TYPE_CHECKING:
    from actors.verdicts import live

#: Pages renew themselves no sooner anyway.
PAUSE_SECONDS = 0.25
#: Of more in one moment the oldest are forgotten: a page fetches everything that it shows.
MOST = 1000


class PingEvents:
    """One a process; its thread begins with the first ping."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Ping, Recorded]] = deque(maxlen=MOST)
        self._some = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def publish(self, ping: Ping, recorded: Recorded) -> None:
        """Tell soon what `ping` changed, unless the pipeline will."""
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
            # Whatever comes meanwhile is told along with it.
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
        result = Measured(
            recorded.monitor_id, ping.received_at, None, [], "up", recorded.duration_ms, None, None, ping.received_at
        )
    status = str(recorded.status)
    return live.Event(
        recorded.project_id, recorded.monitor_id, status, status, ping.received_at, recorded.next_run_at, result
    )
