"""A check opens a connection of its own, or, where the user wants it, takes one that is kept open."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from actors import probes
from actors.probes.outcome import Outcome, Status

from .checking import target


class _Server(ThreadingHTTPServer):
    """Counts the connections that were made."""

    connections = 0

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()


class _Polite(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Polite) as made:
        made.daemon_threads = True
        made.block_on_close = False
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield made
        made.shutdown()


def three_checks(server: _Server, **config: bool) -> list[Outcome]:
    """One after another, on one loop, as a worker makes them."""
    looked_at = target("http_request", f"http://127.0.0.1:{server.server_port}/", **config)

    async def in_turn() -> list[Outcome]:
        return [await probes.PROBES["http_request"](looked_at) for _ in range(3)]

    try:
        return asyncio.run(in_turn())
    finally:
        probes.release()


def test_every_check_opens_a_connection_of_its_own(server: _Server) -> None:
    assert [one.status for one in three_checks(server)] == [Status.UP] * 3
    assert server.connections == 3


def test_a_kept_connection_serves_the_next_check_and_costs_no_connect(server: _Server) -> None:
    outcomes = three_checks(server, reuseConnection=True)
    assert [one.status for one in outcomes] == [Status.UP] * 3
    assert server.connections == 1
    assert outcomes[0].details["timings"]["connectMs"] > 0
    assert "connectMs" not in outcomes[2].details["timings"]
