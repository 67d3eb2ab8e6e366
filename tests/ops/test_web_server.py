"""The web server: one process, streams that never end, and quick answers beside them."""

import contextlib
import http.client
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

#: Clients are given less time than usual: tests wait for its end.
PROGRAM = """
from ops.serving import connections
connections.HEAD_SECONDS = connections.PING_BODY_SECONDS = 2
from ops.web_server import serve
serve('tests.ops.streaming:app')
"""
PING = "/api/heartbeat/a-token-that-is-long-enough"
ROOT = Path(__file__).parents[2]


class Server:
    """A web server in a process of its own."""

    def __init__(self, program: str = PROGRAM) -> None:
        self.port = place.free_port()
        environment = os.environ | {"HOST": "127.0.0.1", "PORT": str(self.port)}
        self.process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment)

    def connections(self) -> int:
        """How many clients are connected."""
        found = psutil.Process(self.process.pid).net_connections("tcp")
        return len([one for one in found if one.status == psutil.CONN_ESTABLISHED])

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


def _held(server: Server, text: bytes, count: int) -> contextlib.ExitStack:
    """`count` connections from another address that send `text` and no more."""
    stack = contextlib.ExitStack()
    for _ in range(count):
        made = socket.create_connection(("127.0.0.1", server.port), 10, source_address=("127.0.0.9", 0))
        stack.enter_context(made)
        made.sendall(text)
    return stack


def _answer(server: Server, text: bytes, address: str = "127.0.0.1") -> bytes:
    """All that comes back for `text` until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), 30, source_address=(address, 0)) as made:
        made.sendall(text)
        answer = b""
        while piece := made.recv(65_536):
            answer += piece
    return answer


def _get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx", 300),
        (f"POST {PING} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx".encode(), 300),
        (b"GET / HTTP/1.1\r\nHost:", 600),
        (b"", 600),
    ],
)
def test_clients_that_send_no_whole_request_hold_up_nobody(server: Server, text: bytes, count: int) -> None:
    with _held(server, text, count):
        for path in ("/", "/healthz", PING, "/length"):
            assert b"200 OK" in _answer(server, _get(path))
            # Even those who share the address of the others are let in
            assert b"200 OK" in _answer(server, _get(path), "127.0.0.9")


def test_one_callers_slow_requests_leave_threads_to_pings_health_and_others(server: Server) -> None:
    with _held(server, _get("/slow", "Authorization: Bearer x"), 100):
        for path in (PING, "/healthz", "/"):
            assert b"200 OK" in _answer(server, _get(path))


def test_a_connection_that_sends_no_head_is_closed(server: Server) -> None:
    assert _answer(server, b"") == b""
    assert _answer(server, b"GET / HTTP/1.1\r\nHost:") == b""


def test_a_head_without_end_is_refused(server: Server) -> None:
    answer = _answer(server, b"GET / HTTP/1.1\r\n" + b"X-Filler: " + b"x" * 80_000)
    assert answer.startswith(b"HTTP/1.1 400") or answer == b""


def test_a_ping_whose_body_stalls_is_taken_with_what_has_come(server: Server) -> None:
    answer = _answer(server, f"POST {PING} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nfour".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"4")


@pytest.mark.parametrize(("path", "most"), [(PING, 1_000_000), ("/length", 10**9)])
@pytest.mark.parametrize("size", [0, 1, 70_000, 1_000_000, 1_040_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_are_read_to_their_bound(server: Server, path: str, most: int, size: int, chunked: bool) -> None:
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    with contextlib.closing(link):
        for _ in range(2):  # on one connection
            pieces = iter([b"x" * size]) if size else iter([])
            link.request("POST", path, body=pieces if chunked else b"x" * size, encode_chunked=chunked)
            assert int(link.getresponse().read()) == min(size, most)


def test_requests_of_one_connection_are_answered_in_their_order(server: Server) -> None:
    post = f"POST {PING} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc".encode()
    page = b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
    answer = _answer(server, post + page + post + page + _get(PING))
    assert [part[-1:] for part in answer.split(b"HTTP/1.1 200 OK")[1:]] == [b"3", b"2", b"3", b"2", b"0"]


def test_a_head_request_has_no_body(server: Server) -> None:
    for path in (PING, "/length"):
        answer = _answer(server, _get(path).replace(b"GET", b"HEAD"))
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.endswith(b"\r\n\r\n")
