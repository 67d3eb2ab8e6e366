"""The fast path of pings: from the parser to a thread and back, without the steps that only larger requests need."""

import threading
import time
from asyncio import AbstractEventLoop, Event
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import structlog

import settings
from ops.serving.wsgi import Answer, run

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = structlog.get_logger(__name__)

#: This many threads keep the database connections busy.
FEWEST = 8
#: If a ping waited longer than this for a thread, another thread starts: the others wait for the database or Redis.
WAITED_SECONDS = 0.1
#: If more pings than this wait, new ones get the response 503, so that the jobs retry.
MOST_WAITING = 5_000


class Ping:
    """One ping in progress, with the attributes that uvicorn's protocol expects of a request."""

    def __init__(self, environ: dict[str, Any], keep_alive: bool) -> None:
        self.environ = environ
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = True
        self.submitted = False
        self.response_complete = False
        self.disconnected = False
        self.message_event = Event()

    def take(self, data: bytes) -> None:
        """Add `data` to the body, up to `PING_BODY_BYTES`."""
        if not self.submitted:
            self.body += data[: settings.PING_BODY_BYTES - len(self.body)]


class PingLane:
    """At most `most` threads that only handle pings. They start when they are needed."""

    def __init__(self, application: "WSGIApplication", most: int) -> None:
        self._application = application
        self._most = most
        self._queue: SimpleQueue[tuple[float, dict[str, Any], Callable[[Answer], None], AbstractEventLoop]] = (
            SimpleQueue()
        )
        self._done: deque[tuple[Callable[[Answer], None], Answer]] = deque()
        self._called = False
        self._threads = 0
        self._lock = threading.Lock()

    def submit(self, environ: dict[str, Any], answer: Callable[[Answer], None], loop: AbstractEventLoop) -> bool:
        """Queue a ping; later call `answer` in `loop` with the response. Return False if too many pings wait."""
        if self._threads < FEWEST:
            self._grow()
        if self._queue.qsize() >= MOST_WAITING:
            return False
        self._queue.put((time.monotonic(), environ, answer, loop))
        return True

    def _grow(self) -> None:
        with self._lock:
            if self._threads >= self._most:
                return
            self._threads += 1
            threading.Thread(target=self._work, name=f"ping-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        while True:
            since, environ, answer, loop = self._queue.get()
            if time.monotonic() - since > WAITED_SECONDS:
                self._grow()
            try:
                found = run(self._application, environ)
            except Exception:
                log.exception("a ping was not answered")
                found = Answer(500, [(b"content-length", b"0")], b"")
            self._done.append((answer, found))
            if not self._called:
                # One call wakes the loop for all responses that are ready by then: waking it costs more than the rest.
                self._called = True
                loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._called = False
        while self._done:
            answer, found = self._done.popleft()
            answer(found)
