"""Many targets on one server, each of which turns bad and good by itself."""

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: A target takes so long to answer: whenever a process is killed, some checks are under way.
THINKS_SECONDS = 0.5


@dataclass
class FakeTargets:
    """`url` plus a name is a target; those in `bad` answer 500, all others 200, each after `thinks` seconds."""

    url: str = ""
    bad: set[str] = field(default_factory=set)
    thinks: float = THINKS_SECONDS

    def breaks(self, names: Iterable[str]) -> None:
        self.bad |= set(names)

    def repair(self) -> None:
        self.bad.clear()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A checker that is killed hangs up in the middle: that is the drill, no error."""


@contextlib.contextmanager
def fake_targets() -> Iterator[FakeTargets]:
    it = FakeTargets()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(it.thinks)
            self.send_response(500 if self.path.removeprefix("/") in it.bad else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        it.url = f"http://127.0.0.1:{server.server_address[1]}/"
        yield it
    finally:
        server.shutdown()
        server.server_close()
