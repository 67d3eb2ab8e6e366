import asyncio
import json
import os
import socket
import traceback
from pathlib import Path

import pytest
from pythonping.icmp import ICMP, Types

from actors import probes
from actors.probes import icmp_socket
from actors.probes.outcome import Outcome, Reason, Status

from .checking import check, check_all, target
from .conftest import Change


def may_ping() -> bool:
    for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
        try:
            socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
        except PermissionError:
            continue
        return True
    return False


needs_icmp = pytest.mark.skipif(not may_ping(), reason="this account may open no ICMP socket")


@needs_icmp
def test_loopback_answers_with_its_round_trips() -> None:
    outcome = check("ping_host", "127.0.0.1")
    assert (outcome.status, outcome.message) == (Status.UP, "")
    assert outcome.details["packetLossPercent"] == 0
    rtt = outcome.details["rttMs"]
    assert 0 < rtt["min"] <= rtt["avg"] <= rtt["max"] < 1000
    assert outcome.response_time_ms == rtt["avg"]


@needs_icmp
@pytest.mark.parametrize("size", [0, 1, 1400])
def test_every_packet_size_comes_back(size: int) -> None:
    assert check("ping_host", "127.0.0.1", packetSize=size, packetCount=1).status is Status.UP


@needs_icmp
def test_ipv6_answers() -> None:
    outcome = check("ping_host", "::1", packetCount=2)
    assert (outcome.status, outcome.details["resolvedIp"]) == (Status.UP, "::1")


@needs_icmp
def test_hundreds_at_once_do_not_take_each_others_replies() -> None:
    """Each has its own address, so a reply counted for another would show as loss somewhere."""
    targets = [target("ping_host", f"127.0.{index // 250}.{index % 250 + 1}", packetCount=2) for index in range(300)]
    outcomes = check_all(targets)
    assert [outcome.details["resolvedIp"] for outcome in outcomes] == [one.address for one in targets]
    assert all(outcome.details["packetLossPercent"] == 0 for outcome in outcomes)


@needs_icmp
def test_replies_that_do_not_fit_are_not_counted() -> None:
    async def outcome() -> list[bool]:
        echo = icmp_socket.running(socket.AF_INET)
        # The true reply is not read before this coroutine waits, which it never does.
        future = echo.send("127.0.0.1", b"payload")
        (key,) = [key for key, entry in echo._waiting.items() if entry[3] is future]
        reply = ICMP(Types.EchoReply, b"payload", *key).packet
        header = bytes([0x45]) + bytes(19) if echo._raw else b""
        echo._on_packet(header + reply, "127.0.0.9", 0.0)
        stranger = future.done()
        wrong = ICMP(Types.EchoReply, b"other", *key).packet
        echo._on_packet(header + wrong, "127.0.0.1", 0.0)
        changed = future.done()
        for rubbish in (b"", b"\x45", bytes(27), b"\x4f" + bytes(40)):
            echo._on_packet(rubbish, "127.0.0.1", 0.0)
        garbled = future.done()
        echo._on_packet(header + reply, "127.0.0.1", 0.0)
        return [stranger, changed, garbled, future.done()]

    assert asyncio.run(outcome()) == [False, False, False, True]
    probes.release()


@needs_icmp
def test_an_internal_address_is_blocked(change_settings: Change) -> None:
    change_settings()
    outcome = check("ping_host", "127.0.0.1")
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.BLOCKED_TARGET)


def test_a_name_that_does_not_exist_is_a_dns_failure() -> None:
    outcome = check("ping_host", "no-such-host.invalid")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.DNS_FAILURE)


@needs_icmp
def test_no_descriptor_is_left_behind() -> None:
    check("ping_host", "127.0.0.1", packetCount=1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    check_all([target("ping_host", "127.0.0.1", packetCount=1)] * 20)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give its rights away")
def test_without_permission_it_is_our_error_and_says_what_to_set(tmp_path: Path) -> None:
    low, high = map(int, Path("/proc/sys/net/ipv4/ping_group_range").read_text().split())
    if low <= 65534 <= high:
        pytest.skip("everybody may ping on this machine")
    read, write = os.pipe()
    child = os.fork()
    if not child:
        _ping_unprivileged(write)
    os.close(write)
    with os.fdopen(read) as answer:
        said = json.loads(answer.read())
    assert os.waitpid(child, 0)[1] == 0
    assert said["status"] == "error"
    assert said["reason"] == "PING_NOT_PERMITTED"
    assert "CAP_NET_RAW" in said["message"]
    assert "net.ipv4.ping_group_range='65534 65534'" in said["message"]


def _ping_unprivileged(write: int) -> None:
    """In the child: never returns."""
    try:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        outcome: Outcome = check("ping_host", "127.0.0.1")
        said = {"status": outcome.status, "reason": outcome.reason, "message": outcome.message}
        os.write(write, json.dumps(said).encode())
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
