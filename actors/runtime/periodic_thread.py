"""A daemon thread that runs a function every few seconds, and once more when the process ends."""

import atexit
import threading
from collections.abc import Callable


class PeriodicThread:
    """Calls `work(False)` every `seconds`, and `work(True)` once at `stop` or at the end of the process.

    `work` must handle its own errors. The last call may take `seconds` at most.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[bool], None]) -> None:
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Call `work` for the last time and wait for it."""
        atexit.unregister(self.stop)
        self._stopping.set()
        self._thread.join(self._seconds)

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self._work(False)
        self._work(True)
