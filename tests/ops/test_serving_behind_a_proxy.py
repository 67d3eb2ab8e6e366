"""Connections behind a proxy, and what a client adds after its request's head."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.ops.test_web_server import PING, Server, _answer
from tests.waiting import until

#: Few connections, so that tests need not open hundreds.
PROGRAM = """
from ops.serving import connections, crowd
connections.HEAD_SECONDS, connections.BODY_SECONDS = 20, 20
connections.WRITE_SECONDS = 1
made = crowd.Crowd.__init__
crowd.Crowd.__init__ = lambda self, most=40: made(self, 40, 8)
from ops.serving import front
front.LARGE_BODIES, front.LARGE_BODIES_A_CLIENT = 4, 2
from ops.web_server import serve
serve('tests.ops.streaming:app')
"""


def _started(monkeypatch: pytest.MonkeyPatch, hops: int) -> Iterator[Server]:
    monkeypatch.setenv("TRUSTED_PROXIES", str(hops))
    made = Server(PROGRAM)
    until(made.listens)
    yield made
    made.process.kill()
    made.process.wait()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    yield from _started(monkeypatch, 0)


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    yield from _started(monkeypatch, 1)


def _open(stack: contextlib.ExitStack, server: Server, text: bytes) -> socket.socket:
    made = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))
    made.sendall(text)
    return made


def _is_closed(one: socket.socket) -> bool:
    one.settimeout(0.05)
    try:
        return one.recv(65_536) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def _head(path: str, client: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", f"X-Forwarded-For: {client}", *headers, "", ""]).encode()


def _post(client: str) -> bytes:
    """The begin of a request whose body does not come."""
    return _head("/length", client, "Content-Length: 9").replace(b"GET", b"POST")


def test_a_proxys_connections_are_not_those_of_one_client(proxied: Server) -> None:
    with contextlib.ExitStack() as stack:
        idle = [_open(stack, proxied, b"") for _ in range(10)]
        slow = [_open(stack, proxied, _post(f"192.0.2.{number}")) for number in range(10)]
        assert b"200 OK" in _answer(proxied, _head("/", "198.51.100.1", "Connection: close"))
        assert not [one for one in (*idle, *slow) if _is_closed(one)]


def test_behind_a_proxy_a_client_with_too_many_connections_loses_its_own(proxied: Server) -> None:
    with contextlib.ExitStack() as stack:
        other = _open(stack, proxied, _post("198.51.100.1"))
        # Proxies write ports, too: they do not make another client of anyone.
        slow = [_open(stack, proxied, _post(f"192.0.2.1:{4000 + number}")) for number in range(9)]
        until(lambda: _is_closed(slow[0]))
        assert not [one for one in (other, *slow[1:]) if _is_closed(one)]


def test_a_client_cannot_choose_whom_it_counts_for(proxied: Server) -> None:
    with contextlib.ExitStack() as stack:
        slow = [_open(stack, proxied, _post(f"203.0.113.{number}, 192.0.2.1")) for number in range(9)]
        until(lambda: _is_closed(slow[0]))


def test_a_kept_connection_counts_for_the_proxy_again_once_its_answer_is_sent(proxied: Server) -> None:
    with contextlib.ExitStack() as stack:
        kept = []
        for _ in range(12):
            kept.append(_open(stack, proxied, _head("/", "192.0.2.1")))
            assert b"200 OK" in kept[-1].recv(4096)
        assert not [one for one in kept if _is_closed(one)]


def test_when_all_places_are_taken_the_crowds_oldest_waiting_one_gives_way(proxied: Server) -> None:
    with contextlib.ExitStack() as stack:
        stream = _open(stack, proxied, _head("/stream", "198.51.100.1"))
        assert b"200 OK" in stream.recv(4096)
        idle = [_open(stack, proxied, b"") for _ in range(45)]
        assert b"200 OK" in _answer(proxied, _head("/", "198.51.100.2", "Connection: close"))
        until(lambda: _is_closed(idle[0]))
        assert not _is_closed(stream), "what is under way stays"
        assert not _is_closed(idle[-1])


def test_without_a_proxy_a_forwarding_header_makes_nobody_another_client(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        slow = [_open(stack, server, _post(f"192.0.2.{number}")) for number in range(9)]
        until(lambda: _is_closed(slow[0]))


@pytest.mark.parametrize("path", ["/endless", "/large"])
def test_a_client_that_does_not_read_is_dropped(server: Server, path: str) -> None:
    with contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", server.port))
        deaf.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until(lambda: server.connections() == 1)
        until(lambda: server.connections() == 0, within=20)


@pytest.mark.parametrize("path", ["/length", PING])
@pytest.mark.parametrize("spare", [b"X: " + b"x" * 60_000 + b"\r\n", b"x" * 60_000], ids=["lines", "one line"])
def test_trailers_without_end_are_refused(server: Server, path: str, spare: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as made:
        made.sendall(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ".encode()
        )
        with pytest.raises(OSError):  # reset, or a broken pipe
            for _ in range(500):
                made.sendall(spare)
    assert server.ask() < 5


def test_trailers_are_no_headers(server: Server) -> None:
    body = b"1\r\na\r\n0\r\nX-Forwarded-For: 192.0.2.9\r\nAuthorization: Bearer x\r\n\r\n"
    head = b"POST /headers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    answer = _answer(server, head + body)
    assert b"200 OK" in answer
    assert b"HTTP_X_FORWARDED_FOR" not in answer
    assert b"HTTP_AUTHORIZATION" not in answer


def test_one_client_leaves_room_for_the_large_bodies_of_others(server: Server) -> None:
    begun = b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 70_000
    whole = begun.replace(b"Host: x", b"Host: x\r\nConnection: close") + b"x" * 30_000
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            _open(stack, server, begun)
        answer = _answer(server, whole, "127.0.0.9")
        assert answer.endswith(b"100000")
