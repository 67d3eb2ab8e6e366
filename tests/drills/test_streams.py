"""Two hundred open pages starve no other client: pings are answered as before, and every page hears what happens."""

import contextlib
import http.client
import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from tests import outside, system

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(180)]

STREAMS = 200
PINGS = 400
#: Two cores are shared with the whole system and with the two hundred readers here, so a little slower is noise. Where
#: streams starve pings, each waits for a free thread: hundreds of times slower, or never answered.
SLOWER_AT_MOST = 3.0


@dataclass
class Streams:
    """Open streams of a project's status, read without a thread each."""

    selector: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)
    heard: dict[socket.socket, bytes] = field(default_factory=dict)

    def open(self, port: int) -> None:
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        connection.sendall(
            b"GET /api/monitor-status/sse HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer " + system.API_KEY.encode() + b"\r\n\r\n"
        )
        connection.setblocking(False)
        self.selector.register(connection, selectors.EVENT_READ)
        self.heard[connection] = b""

    def read(self, seconds: float) -> None:
        """Read what has come, waiting up to `seconds` for the first of it."""
        for key, _ in self.selector.select(seconds):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            piece = connection.recv(65_536)
            assert piece, "a stream was ended"
            self.heard[connection] += piece

    def all_hear(self, words: bytes, within: float) -> None:
        """Read until every stream has said `words` since it was last forgotten."""
        end = time.monotonic() + within
        while left := sum(words not in text for text in self.heard.values()):
            assert time.monotonic() < end, f"{left} of {len(self.heard)} streams did not say {words!r}"
            self.read(0.1)

    def forget(self) -> None:
        self.read(0)
        self.heard = dict.fromkeys(self.heard, b"")


@contextlib.contextmanager
def streams(port: int) -> Iterator[Streams]:
    """`STREAMS` open streams, all of which have said their first event."""
    opened = Streams()
    try:
        for _ in range(STREAMS):
            opened.open(port)
        opened.all_hear(b"event: snapshot", within=30)
        yield opened
    finally:
        opened.selector.close()
        for connection in opened.heard:
            connection.close()


def a_ping_takes(port: int, path: str) -> float:
    """The median in seconds of `PINGS` pings, one after another on one connection."""
    took = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
        for _ in range(PINGS):
            began = time.perf_counter()
            client.request("GET", path)
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (200, b"OK")
            took.append(time.perf_counter() - began)
    return statistics.median(took)


def test_pings_are_answered_as_fast_beside_two_hundred_open_streams() -> None:
    with system.running() as it, it.api() as api, outside.target() as target:
        # Given a heartbeat, and how fast its pings are answered
        heartbeat = api.call("POST", "/api/monitors", {"name": "Backup", "type": "heartbeat"})
        path = urlsplit(heartbeat["heartbeatUrl"]).path
        a_ping_takes(it.port, path)
        alone = a_ping_takes(it.port, path)

        # When two hundred pages are open
        with streams(it.port) as opened:
            beside = a_ping_takes(it.port, path)

            # Then pings are answered as before
            assert beside < SLOWER_AT_MOST * alone, f"{beside * 1000:.2f} ms beside, {alone * 1000:.2f} ms alone"

            # And every page hears of the next check
            opened.forget()
            monitor = api.make(
                "/api/monitors",
                {"name": "Shop", "type": "http_request", "target": target.url, "frequencyMinutes": 0.1},
            )
            opened.all_hear(monitor.encode(), within=15)
        print(f"a ping: {alone * 1000:.2f} ms alone, {beside * 1000:.2f} ms beside {STREAMS} streams")
