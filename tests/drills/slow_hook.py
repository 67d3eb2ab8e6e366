"""A webhook that takes a call and keeps its caller waiting: the moment to kill the caller."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class SlowHook:
    """`calls` are the bodies it got; no caller is answered before `go_on` is set."""

    url: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The caller that was kept waiting is dead when we answer: that is the drill, no error."""


@contextlib.contextmanager
def slow_hook() -> Iterator[SlowHook]:
    it = SlowHook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            it.calls.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            it.go_on.wait(60)
            self.send_response(200)
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
        it.go_on.set()
        server.shutdown()
        server.server_close()
