"""A daemon thread that does something every few seconds, and once more at the end."""

import atexit
import threading
from collections.abc import Callable


class PeriodicThread:
    """Calls `work(False)` every `seconds` until `stop` or the end of the process, which call `work(True)`.

    `work` runs on the thread and sees to its own errors. It gets `seconds` at most for its last call.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[bool], None]) -> None:
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Have `work` called for the last time, and wait for it."""
        atexit.unregister(self.stop)
        self._stopping.set()
        self._thread.join(self._seconds)

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self._work(False)
        self._work(True)
