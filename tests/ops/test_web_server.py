"""The web server: one process, streams that never end, and quick answers beside them."""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ops import web_server
from ops.embedded import place
from tests.waiting import until

PROGRAM = "from ops.web_server import serve; serve('tests.ops.streaming:app')"
ROOT = Path(__file__).parents[2]


class Server:
    """A web server in a process of its own."""

    def __init__(self) -> None:
        self.port = place.free_port()
        environment = os.environ | {"HOST": "127.0.0.1", "PORT": str(self.port)}
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment)

    def listens(self) -> bool:
        assert self.process.poll() is None
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        return False

    def stream(self) -> socket.socket:
        """Open a stream and wait for its first event."""
        made = socket.create_connection(("127.0.0.1", self.port), 10)
        made.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in made.recv(4096)
        return made

    def ask(self) -> float:
        """One short request on a new connection; answers its seconds."""
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), 10) as made:
            made.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b"OK" in made.recv(4096)
        return time.monotonic() - began


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    until(made.listens)
    yield made
    made.process.kill()
    made.process.wait()


def test_it_is_one_process(server: Server) -> None:
    assert psutil.Process(server.process.pid).children(recursive=True) == []


def test_two_hundred_open_streams_do_not_starve_short_requests(server: Server) -> None:
    with contextlib.ExitStack() as streams:
        for _ in range(200):
            streams.enter_context(server.stream())
        # A starved server would not answer at all; a queued one only when some stream ends, which none does.
        assert statistics.median(server.ask() for _ in range(50)) < 0.1


def test_a_stop_does_not_wait_for_streams(server: Server) -> None:
    with server.stream():
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(web_server.STOP_SECONDS + 10) == 0


def test_a_stop_without_streams_is_immediate(server: Server) -> None:
    server.ask()
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    assert time.monotonic() - began < web_server.STOP_SECONDS
