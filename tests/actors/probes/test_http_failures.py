import gzip
import socket
import struct
import zlib

import pytest

from actors.probes.outcome import Reason, Status

from .checking import http
from .conftest import Change
from .site import Site


def test_a_closed_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = http(f"http://127.0.0.1:{port}/")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.CONNECTION_REFUSED)
    assert outcome.message == "127.0.0.1 refused the connection."
    assert outcome.response_time_ms is not None


def test_a_name_that_does_not_exist_is_a_dns_failure() -> None:
    outcome = http("http://no-such-host.invalid/")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.DNS_FAILURE)


def test_a_reset_is_told_as_one(site: Site) -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert http(site.script("/", reset)).reason is Reason.CONNECTION_RESET


def test_a_connection_that_closes_without_an_answer_is_told(site: Site) -> None:
    outcome = http(site.script("/", lambda connection: None))
    assert outcome.reason is Reason.CONNECTION_RESET
    assert outcome.message == "127.0.0.1 closed the connection without a response."


def test_a_truncated_answer_is_down_although_its_status_was_good(site: Site) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"
    outcome = http(site.script("/", lambda connection: connection.sendall(raw)))
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.CONNECTION_RESET)


def test_a_listener_that_accepts_nobody_is_a_connect_timeout() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(("127.0.0.1", port))
            outcome = http(f"http://127.0.0.1:{port}/", timeout=0.3)
    assert outcome.reason is Reason.CONNECT_TIMEOUT
    assert outcome.message == "127.0.0.1 did not accept the connection within 0.3 seconds."


def test_silence_is_a_read_timeout(site: Site) -> None:
    outcome = http(site.script("/", lambda connection: _wait(site)), timeout=0.3)
    assert outcome.reason is Reason.READ_TIMEOUT
    assert outcome.message == "127.0.0.1 did not start to respond within 0.3 seconds."
    assert outcome.response_time_ms == pytest.approx(300, abs=200)


def _wait(site: Site) -> None:
    site.stopping.wait(5)


def test_a_dripping_server_cannot_stretch_the_deadline(site: Site) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not site.stopping.wait(0.02):
            connection.sendall(b"x")

    outcome = http(site.script("/", drip), timeout=0.5)
    assert outcome.reason is Reason.READ_TIMEOUT
    assert outcome.message == "127.0.0.1 did not finish its response within 0.5 seconds."
    assert outcome.response_time_ms is not None
    assert outcome.response_time_ms < 1500
    assert outcome.details["statusCode"] == 200


def test_dripping_headers_cannot_stretch_the_deadline_either(site: Site) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not site.stopping.wait(0.02):
            connection.sendall(b"X-More: 1\r\n")

    assert http(site.script("/", drip), timeout=0.5).reason is Reason.READ_TIMEOUT


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 banana\r\n\r\n", b"\x00\x01\x02\x03" * 10])
def test_whoever_does_not_speak_http_is_a_protocol_error(site: Site, raw: bytes) -> None:
    assert http(site.script("/", lambda connection: connection.sendall(raw))).reason is Reason.PROTOCOL_ERROR


def test_endless_headers_are_down(site: Site) -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            connection.sendall(b"X-More: " + b"x" * 9000 + b"\r\n")

    assert http(site.script("/", flood)).status is Status.DOWN


def test_an_answer_over_the_limit_is_too_large(site: Site, change_settings: Change) -> None:
    change_settings(ALLOW_INTERNAL_TARGETS="true", MAX_RESPONSE_SIZE_MB=1)
    outcome = http(site.answer("/", b"x" * (1024 * 1024 + 1)))
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.RESPONSE_TOO_LARGE)
    assert http(site.answer("/", b"x" * 1024 * 1024)).status is Status.UP


def test_an_endless_answer_is_too_large(site: Site, change_settings: Change) -> None:
    change_settings(ALLOW_INTERNAL_TARGETS="true", MAX_RESPONSE_SIZE_MB=1)

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not site.stopping.is_set():
            connection.sendall(b"x" * 65536)

    assert http(site.script("/", flood)).reason is Reason.RESPONSE_TOO_LARGE


@pytest.mark.parametrize("keyword", ["", "word"])
def test_a_compressed_bomb_is_too_large_once_decoded(site: Site, change_settings: Change, keyword: str) -> None:
    change_settings(ALLOW_INTERNAL_TARGETS="true", MAX_RESPONSE_SIZE_MB=1)
    bomb = gzip.compress(b"\x00" * 50 * 1024 * 1024)
    assert len(bomb) < 100_000
    outcome = http(site.answer("/", bomb, Content_Encoding="gzip"), keywordInBody=keyword)
    assert outcome.reason is Reason.RESPONSE_TOO_LARGE


def test_a_head_request_does_not_mind_the_size_of_the_body(site: Site, change_settings: Change) -> None:
    change_settings(ALLOW_INTERNAL_TARGETS="true", MAX_RESPONSE_SIZE_MB=1)
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
    outcome = http(site.script("/", lambda connection: connection.sendall(raw)), method="HEAD")
    assert outcome.status is Status.UP


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_answers_are_read(site: Site, encoding: str, pack: object) -> None:
    body = pack(b"the word is here")  # type: ignore[operator]
    assert http(site.answer("/", body, Content_Encoding=encoding), keywordInBody="word").status is Status.UP
    assert {"gzip", "deflate", "br"} <= {one.strip() for one in site.seen[0].headers["accept-encoding"].split(",")}


def test_broken_compression_is_down(site: Site) -> None:
    outcome = http(site.answer("/", b"not gzip at all", Content_Encoding="gzip"))
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.PROTOCOL_ERROR)


def test_what_a_target_writes_cannot_forge_lines_of_a_message(site: Site) -> None:
    outcome = http(site.answer("/", status=302, Location="ftp://evil/\u202e\x07"))
    assert outcome.status is Status.DOWN
    assert outcome.message.isprintable()
