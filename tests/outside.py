"""The outside world, faked on loopback: a target whose answer a test changes, and a webhook that keeps what it gets."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Target:
    """An HTTP server; `status` and `body` may change at any time, `hits` counts requests."""

    url: str = ""
    status: int = 200
    body: bytes = b"all is well"
    hits: int = 0


@dataclass
class Hook:
    """A webhook receiver; `status` may change at any time.

    While `gate` is cleared no call is answered; `inside` counts those that wait, `most_inside` the most there ever were.
    """

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    received: list[dict[str, Any]] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    inside: int = 0
    most_inside: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.gate.set()

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """One call is inside."""
        with self._counting:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        try:
            yield
        finally:
            with self._counting:
                self.inside -= 1

    def events(self) -> list[str]:
        return [one["event"] for one in self.received]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


@contextlib.contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def target() -> Iterator[Target]:
    it = Target()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            it.hits += 1
            self.send_response(it.status)
            self.send_header("Content-Length", str(len(it.body)))
            self.end_headers()
            self.wfile.write(it.body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    with _serving(Handler) as it.url:
        yield it


@contextlib.contextmanager
def hook() -> Iterator[Hook]:
    import time

    it = Hook()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            it.arrivals.append(time.monotonic())
            it.received.append(json.loads(body))
            with it.counted():
                it.gate.wait(60)
            self.send_response(it.status)
            for name, value in it.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    with _serving(Handler) as it.url:
        yield it
