"""A name that is public when it is judged and internal when it is connected to.

The name server is real, on a UDP socket of loopback; the system's resolver cannot be pointed at it without being root,
so `getaddrinfo` is, for this one name.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import guard
from actors.probes.outcome import Outcome, Reason, Status
from tests.name_server import NameServer, answering

from .checking import check, http
from .conftest import Change
from .site import Site, running

NAME = "changing.example"
PUBLIC, LOOPBACK, OTHER = "93.184.216.34", "127.0.0.1", "127.0.0.2"


class Names:
    """`answer` starts the server; it stops with the test."""

    def __init__(self, stack: ExitStack, patch: pytest.MonkeyPatch) -> None:
        self._stack, self._patch = stack, patch

    def answer(self, *addresses: str) -> NameServer:
        server, getaddrinfo = self._stack.enter_context(answering(NAME, *addresses, system=socket.getaddrinfo))
        self._patch.setattr(socket, "getaddrinfo", getaddrinfo)
        return server


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    with ExitStack() as stack:
        yield Names(stack, monkeypatch)


def _is_blocked(outcome: Outcome) -> None:
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.BLOCKED_TARGET), outcome.message
    assert "resolvedIp" not in outcome.details


@pytest.mark.parametrize("kind", ["http_request", "website", "port_check", "ping_host"])
def test_a_name_that_was_public_when_saved_is_blocked_when_it_is_connected_to(
    kind: str, site: Site, names: Names, change_settings: Change
) -> None:
    change_settings()
    server = names.answer(PUBLIC, LOOPBACK)
    guard.judge_host_at_save(NAME)
    assert server.asked == 1
    address = site.url("/", NAME) if kind in {"http_request", "website"} else NAME
    _is_blocked(check(kind, address, port=site.port, ipVersion="4"))
    assert server.asked == 2
    assert not site.connections


def test_a_check_connects_to_the_address_that_was_judged_and_asks_no_second_time(
    site: Site, names: Names, change_settings: Change
) -> None:
    change_settings(ALLOWED_INTERNAL_TARGETS=LOOPBACK, DNS_CACHE_SECONDS=0)
    server = names.answer(LOOPBACK, OTHER)
    site.answer("/")
    outcome = http(site.url("/", NAME))
    assert (outcome.status, outcome.details["resolvedIp"]) == (Status.UP, LOOPBACK)
    assert server.asked == 1


def test_a_name_that_changes_between_two_redirects_is_blocked(
    site: Site, names: Names, change_settings: Change
) -> None:
    change_settings(ALLOWED_INTERNAL_TARGETS=LOOPBACK, DNS_CACHE_SECONDS=0)
    server = names.answer(LOOPBACK, OTHER)
    with running(OTHER) as internal:
        site.answer("/", status=302, Location=internal.url("/secret", NAME))
        outcome = http(site.url("/", NAME))
        assert not internal.connections
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.BLOCKED_TARGET)
    assert len(site.seen) == 1
    assert server.asked == 2


def test_a_name_that_keeps_changing_is_blocked_at_every_internal_answer(
    site: Site, names: Names, change_settings: Change
) -> None:
    change_settings(DNS_CACHE_SECONDS=0)
    internal = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0")
    names.answer(*internal)
    for _ in internal:
        _is_blocked(http(site.url("/", NAME)))
    assert not site.connections
