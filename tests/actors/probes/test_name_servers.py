"""A name that cannot be resolved is the target's fault only if our own name servers work."""

import socket
from typing import Any

import pytest

from actors.probes import name_servers, resolver, socket_failure
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.worker_fault import WorkerFault
from tests import dns_server
from tests.dns_server import DnsServer

from .checking import check, check_all, target
from .names import Names


class Failing:
    """A `getaddrinfo` that fails with the error number of each name; others have loopback's address."""

    def __init__(self, **numbers: int) -> None:
        self.numbers = {f"{name}.test": number for name, number in numbers.items()}

    def __call__(self, host: str, port: int | None, family: int = 0, kind: int = 0, *_: Any) -> list[Any]:
        if host in self.numbers:
            raise socket.gaierror(self.numbers[host], "It failed")
        return [(socket.AF_INET, kind, 6, "", ("127.0.0.1", port or 0))]


def look(name: str, kind: str = "port_check") -> Outcome:
    resolver.forget()
    return check(kind, f"http://{name}.test/" if kind == "http_request" else f"{name}.test", port=9)


OURS: list[dns_server.Mode] = ["silent", "servfail", "refused"]


@pytest.mark.parametrize("kind", ["http_request", "port_check", "ping_host"])
@pytest.mark.parametrize(
    ("number", "mode", "status"),
    [
        # The answer itself says that there is no such name.
        (socket.EAI_NONAME, "silent", Status.DOWN),
        (socket.EAI_NODATA, "silent", Status.DOWN),
        # No answer says nothing about the name: it is the target's if our name servers work.
        (socket.EAI_AGAIN, "works", Status.DOWN),
        (socket.EAI_FAIL, "works", Status.DOWN),
        *[(socket.EAI_AGAIN, mode, Status.ERROR) for mode in OURS],
        *[(socket.EAI_FAIL, mode, Status.ERROR) for mode in OURS],
        # The resolver itself has failed.
        (socket.EAI_SYSTEM, "works", Status.ERROR),
        (socket.EAI_MEMORY, "works", Status.ERROR),
    ],
)
def test_a_name_that_cannot_be_resolved_is_judged_by_whether_our_name_servers_work(
    kind: str,
    number: int,
    mode: dns_server.Mode,
    status: Status,
    our_dns: DnsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    our_dns.mode = mode
    monkeypatch.setattr(socket, "getaddrinfo", Failing(failing=number))
    monkeypatch.setattr(socket_failure, "is_cut_off", lambda: False)
    outcome = look("failing", kind)
    assert outcome.status is status
    assert outcome.reason is (Reason.DNS_FAILURE if status is Status.DOWN else Reason.INTERNAL_ERROR)
    if number in {socket.EAI_AGAIN, socket.EAI_FAIL}:
        assert outcome.fault is (None if status is Status.DOWN else WorkerFault.NAME_SERVER)


@pytest.mark.parametrize("mode", OURS)
def test_names_that_time_out_are_ours_while_our_name_servers_do_not_work(
    mode: dns_server.Mode, names: Names, our_dns: DnsServer
) -> None:
    our_dns.mode = mode
    outcomes = check_all([target("port_check", f"hangs-{index}.test", timeout=0.5, port=9) for index in range(20)])
    assert {(one.status, one.reason) for one in outcomes} == {(Status.ERROR, Reason.INTERNAL_ERROR)}


def test_our_name_servers_are_asked_once_for_all_names_that_fail_together(names: Names, our_dns: DnsServer) -> None:
    our_dns.asked.clear()
    check_all([target("port_check", f"hangs-{index}.test", timeout=0.5, port=9) for index in range(50)])
    assert 1 <= len(our_dns.asked) <= 3
    # And every question is for a name that no cache can know
    assert len(set(our_dns.asked)) == len(our_dns.asked)


def test_one_of_several_name_servers_that_works_is_enough(our_dns: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Failing(failing=socket.EAI_AGAIN))
    with dns_server.running() as failing, dns_server.running() as silent:
        failing.mode, silent.mode = "servfail", "silent"
        everyone = [failing.address, silent.address, our_dns.address]
        monkeypatch.setattr(name_servers, "servers", lambda: everyone)
        assert look("failing").status is Status.DOWN
        name_servers.forget()
        everyone.pop()
        assert look("failing").status is Status.ERROR


def test_in_a_closed_network_a_name_is_the_targets_once_another_one_was_answered(
    our_dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given name servers that fail for every foreign name
    our_dns.mode = "servfail"
    monkeypatch.setattr(socket, "getaddrinfo", Failing(broken=socket.EAI_AGAIN, gone=socket.EAI_NONAME))
    assert look("fine").reason is Reason.PORT_CLOSED
    # Then the first failure of a name says nothing yet, whatever was answered before
    assert look("broken").status is Status.ERROR
    assert look("broken").status is Status.ERROR
    # And the next one counts after another name was answered, be it that there is no such name
    assert look("gone").status is Status.DOWN
    assert look("broken").status is Status.DOWN
