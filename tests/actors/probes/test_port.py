import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from actors.probes.outcome import Reason, Status

from .checking import check, check_all, target
from .conftest import Change
from .site import Site, running


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def udp_server(answer: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """Answers each datagram with `answer` of it, None for silence; an empty datagram to itself ends it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.05)
        stopping = threading.Event()

        def serve() -> None:
            while not stopping.is_set():
                with suppress(TimeoutError):
                    data, sender = server.recvfrom(65536)
                    if (reply := answer(data)) is not None:
                        server.sendto(reply, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stopping.set()
            thread.join(10)


def test_an_open_port_is_up_with_its_times(site: Site) -> None:
    outcome = check("port_check", "127.0.0.1", port=site.port)
    assert (outcome.status, outcome.message) == (Status.UP, "")
    assert outcome.response_time_ms is not None
    assert outcome.details["resolvedIp"] == "127.0.0.1"
    assert set(outcome.details["timings"]) == {"dnsMs", "connectMs"}


def test_a_closed_port_is_down() -> None:
    port = closed_port()
    outcome = check("port_check", "127.0.0.1", port=port)
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.PORT_CLOSED)
    assert outcome.message == f"Port {port} of 127.0.0.1 is closed."
    assert outcome.response_time_ms is not None


def test_ipv6_is_spoken() -> None:
    with running("::1") as site:
        for address in ("::1", "[::1]"):
            outcome = check("port_check", address, port=site.port)
            assert (outcome.status, outcome.details["resolvedIp"]) == (Status.UP, "::1")


def test_a_name_is_resolved_in_the_family_asked_for(site: Site) -> None:
    outcome = check("port_check", "localhost", port=site.port, ipVersion="4")
    assert (outcome.status, outcome.details["resolvedIp"]) == (Status.UP, "127.0.0.1")
    outcome = check("port_check", "127.0.0.1", port=site.port, ipVersion="6")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.DNS_FAILURE)


def test_a_name_that_does_not_exist_is_a_dns_failure() -> None:
    outcome = check("port_check", "no-such-host.invalid", port=80)
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.DNS_FAILURE)


def test_a_port_that_accepts_nobody_is_a_connect_timeout() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(("127.0.0.1", port))
            outcome = check("port_check", "127.0.0.1", timeout=0.3, port=port)
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.CONNECT_TIMEOUT)


def test_the_expected_text_may_come_in_pieces(site: Site) -> None:
    def greet(connection: socket.socket) -> None:
        connection.sendall(b"220 mail.exa")
        site.stopping.wait(0.05)
        connection.sendall(b"mple ready\r\n")
        site.stopping.wait(5)

    site.takes_over = greet
    assert check("port_check", "127.0.0.1", port=site.port, expect="example ready").status is Status.UP


def test_what_is_sent_arrives(site: Site) -> None:
    site.takes_over = lambda connection: connection.sendall(b"you said " + connection.recv(100))
    outcome = check("port_check", "127.0.0.1", port=site.port, send="PING\r\n", expect="said PING\r\n")
    assert outcome.status is Status.UP


def test_another_text_is_an_unexpected_answer(site: Site) -> None:
    site.takes_over = lambda connection: connection.sendall(b"go away\r\n")
    outcome = check("port_check", "127.0.0.1", port=site.port, expect="welcome")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.UNEXPECTED_ANSWER)


def test_a_port_that_is_silent_where_text_is_expected_is_a_read_timeout(site: Site) -> None:
    site.takes_over = lambda connection: _wait(site)
    outcome = check("port_check", "127.0.0.1", timeout=0.3, port=site.port, expect="welcome")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.READ_TIMEOUT)


def test_an_endless_answer_is_not_read_for_ever(site: Site) -> None:
    def flood(connection: socket.socket) -> None:
        while not site.stopping.is_set():
            connection.sendall(b"x" * 65536)

    site.takes_over = flood
    outcome = check("port_check", "127.0.0.1", port=site.port, expect="welcome")
    assert outcome.reason is Reason.UNEXPECTED_ANSWER


def test_a_reset_during_the_exchange_is_told_as_one(site: Site) -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    site.takes_over = reset
    outcome = check("port_check", "127.0.0.1", port=site.port, send="hello", expect="welcome")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.CONNECTION_RESET)


def test_an_internal_address_is_blocked(site: Site, change_settings: Change) -> None:
    change_settings()
    for address in ("127.0.0.1", "localhost", "::ffff:127.0.0.1"):
        outcome = check("port_check", address, port=site.port)
        assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.BLOCKED_TARGET)


@pytest.mark.parametrize("port", [0, 65536, -1, None, "80", True])
def test_a_port_that_is_no_port_is_an_error(port: object) -> None:
    outcome = check("port_check", "127.0.0.1", port=port)
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.INVALID_CONFIG)


@pytest.mark.parametrize("address", ["", "http://localhost/", "a b", "user@localhost", "x\x00y"])
def test_a_target_that_is_no_host_is_an_error(address: str) -> None:
    assert check("port_check", address, port=80).reason is Reason.INVALID_CONFIG


def test_udp_that_answers_is_certainly_up() -> None:
    with udp_server(lambda data: b"pong " + data) as port:
        outcome = check("port_check", "127.0.0.1", port=port, protocol="udp", send="ping", expect="pong ping")
    assert (outcome.status, outcome.details["certainty"]) == (Status.UP, "confirmed")


def test_udp_silence_is_up_but_unconfirmed() -> None:
    with udp_server(lambda data: None) as port:
        outcome = check("port_check", "127.0.0.1", timeout=0.3, port=port, protocol="udp")
    assert (outcome.status, outcome.details["certainty"]) == (Status.UP, "unconfirmed")


def test_udp_silence_is_down_where_an_answer_is_expected() -> None:
    with udp_server(lambda data: None) as port:
        outcome = check("port_check", "127.0.0.1", timeout=0.3, port=port, protocol="udp", send="x", expect="y")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.READ_TIMEOUT)


def test_udp_that_is_refused_is_down() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    outcome = check("port_check", "127.0.0.1", port=port, protocol="udp")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.PORT_CLOSED)


def test_one_silent_port_delays_no_other(site: Site) -> None:
    site.takes_over = lambda connection: _wait(site)
    slow = target("port_check", "127.0.0.1", timeout=1.0, port=site.port, expect="never")
    quick = target("port_check", "127.0.0.1", timeout=1.0, port=site.port)
    outcomes = check_all([slow] + [quick] * 100)
    assert outcomes[0].reason is Reason.READ_TIMEOUT
    assert all(outcome.response_time_ms < 900 for outcome in outcomes[1:] if outcome.response_time_ms)
    assert all(outcome.status is Status.UP for outcome in outcomes[1:])


def _wait(site: Site) -> None:
    site.stopping.wait(5)
