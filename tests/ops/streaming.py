"""A small application with streams that never end, for tests of the web server."""

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

_never = threading.Event()


def _stream() -> Iterator[bytes]:
    yield b"data: hello\n\n"
    while not _never.wait(1):
        yield b": still here\n\n"


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    """`/stream` never ends, `/endless` neither and says much; `/slow` waits, `/length` and pings tell how long the body was,
    `/headers` what came with the request, `/large` is large; the rest is a short answer."""
    if environ["PATH_INFO"] == "/slow":
        _never.wait(60)
    if environ["PATH_INFO"].startswith(("/length", "/api/heartbeat/")):
        said = str(len(environ["wsgi.input"].read())).encode()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([said])
    if environ["PATH_INFO"] == "/headers":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([" ".join(environ).encode()])
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"x" * 20_000_000])
    if environ["PATH_INFO"] == "/endless":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return itertools.repeat(b"x" * 100_000)
    if environ["PATH_INFO"] == "/stream":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return _stream()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return iter([b"OK"])
