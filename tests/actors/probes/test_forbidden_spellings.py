"""Every way to write an internal address, through the check itself and through saving; nothing is sent anywhere."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import guard
import settings
from actors import probes
from actors.probes import resolver
from actors.probes.outcome import Outcome, Reason, Status
from web.features.monitors import targets

from .checking import target
from .site import Site, running

# Loopback, where a listener counts who comes.
LOOPBACK = """
    127.0.0.1 127.0.0.1. 127.1 127.0.1 127.000.000.001 2130706433 0x7f000001 0x7F000001 0X7f000001 017700000001
    00000000177.0.0.1 0177.0.0.1 0177.0.0.01 0177.1 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0x7f.1 0x7f.0x000001 0177.0x0.0.1
    127.0x1 127.0.0x1 127.65537 127.255.255.254 127.127.127.127 localhost localhost. LOCALHOST LocalHost. 0 0.0 0x0
    00 0.0.0.0 0.0.0.0. １２７.0.0.1 １２７.１ ①②⑦.⓪.⓪.① 127。0。0。1 127．0．0．1 127｡0｡0｡1 ⑫7.1 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ｌｏｃａｌｈｏｓｔ
    [::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::0001] [0::1] [::] [0::0] [::127.0.0.1]
    [::7f00:1] [::ffff:127.0.0.1] [::FFFF:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [::ffff:0:127.0.0.1] [::ffff:0.0.0.0]
    [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::127.0.0.1] [2002:7f00:1::] [2002:7f00:0001::1]
    [2001:0:4136:e378:8000:63bf:80ff:fffe]
""".split()  # noqa: SIM905 - a table

ELSEWHERE = """
    10.0.0.1 10.1 10.0.1 012.0.0.1 012.1 0xa.0.0.1 0xa000001 167772161 10.0.0.1. １０.0.0.1 [::ffff:10.0.0.1] [::a00:1]
    [64:ff9b::10.0.0.1] [64:ff9b::a00:1] [2002:a00:1::] [2002:0a00:0001::1]
    172.16.0.1 172.31.255.254 0xac.0x10.0.1 2886729729 [::ffff:172.16.0.1] [64:ff9b::ac10:1] [2002:ac10:1::]
    192.168.0.1 192.168.1 192.11010049 0xc0a80001 0300.0250.0.1 3232235521 [::ffff:c0a8:1] [2002:c0a8:1::1]
    100.64.0.1 100.127.255.254 0x64400001 [::ffff:100.64.0.1] [64:ff9b::100.64.0.1] [2002:6440:1::]
    169.254.169.254 169.254.43518 169.16689662 2852039166 0xa9fea9fe 0xa9.0xfe.0xa9.0xfe 0251.0376.0251.0376
    025177524776 169.254.169.254. ①⑥⑨.②⑤④.①⑥⑨.②⑤④ 169。254。169。254 [::ffff:169.254.169.254] [::ffff:a9fe:a9fe]
    [::a9fe:a9fe] [64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::] [2001:0:4136:e378:8000:63bf:5601:5601]
    169.254.170.2 169.254.170.23 100.100.100.200 192.0.0.192 168.63.129.16 0xa83f8110 [::ffff:168.63.129.16]
    [fd00:ec2::254] [fd20:ce::254] [fe80::a9fe:a9fe]
    192.0.0.1 192.0.2.7 198.18.0.1 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    4294967295 0xffffffff 037777777777 [fc00::1] [fdff::1] [fe80::1] [febf::1] [fec0::1] [ff02::1] [ff0e::1]
    [2001:db8::1] [3fff::1] [100::1] [2001:2::1] [::ffff:224.0.0.1] [2002:e000:1::]
""".split()  # noqa: SIM905 - a table
ALL = [*LOOPBACK, *ELSEWHERE]
# What a user puts before the host to make it look like another.
DISGUISES = ("example.com@", "example.com:80@", "8.8.8.8%2f@", "user:pass%40word@")


@contextmanager
def closed() -> Iterator[list[str]]:
    """Nothing is allowed, and what the guard lets pass all the same is noted and stopped: no mistake of it may send."""
    nothing_allowed = settings.parse({})
    passed: list[str] = []
    judge = guard.judge

    def judge_and_stop(ip: str, host: str = "") -> None:
        judge(ip, host)
        passed.append(ip)
        raise guard.BlockedTarget(f"{ip} was let pass")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "get", lambda: nothing_allowed)
        patch.setattr(guard, "judge", judge_and_stop)
        resolver.forget()
        yield passed
    probes.release()


@pytest.fixture(scope="module")
def judged() -> Iterator[dict[str, Outcome]]:
    """Every spelling and disguise as a URL, checked at once; the listeners of loopback must stay alone."""
    with closed(), running() as four, running("::1") as six:
        outcomes = asyncio.run(_check_all(four.port, six.port))
        assert _connections(four, six) == 0
    yield outcomes


async def _check_all(*ports: int) -> dict[str, Outcome]:
    hosts = [*ALL, *(before + "127.0.0.1" for before in DISGUISES)]
    found: dict[str, Outcome] = {}
    for port in ports:
        urls = [f"http://{host}:{port}/" for host in hosts]
        outcomes = await asyncio.gather(*(probes.http.probe(target("http_request", url, 10)) for url in urls))
        for host, outcome in zip(hosts, outcomes, strict=True):
            if outcome.status is not Status.ERROR or host not in found:
                found[host] = outcome
    return found


def _connections(*sites: Site) -> int:
    return sum(site.connections for site in sites)


def test_the_table_holds_more_than_a_hundred_spellings() -> None:
    assert len(set(ALL)) == len(ALL) >= 100


@pytest.mark.parametrize("spelling", ALL)
def test_a_check_of_a_forbidden_spelling_is_blocked(spelling: str, judged: dict[str, Outcome]) -> None:
    outcome = judged[spelling]
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.BLOCKED_TARGET), outcome.message
    assert "let pass" not in outcome.message
    assert "resolvedIp" not in outcome.details


@pytest.mark.parametrize("before", DISGUISES)
def test_user_info_does_not_hide_the_host(before: str, judged: dict[str, Outcome]) -> None:
    assert judged[before + "127.0.0.1"].reason is Reason.BLOCKED_TARGET


@pytest.mark.parametrize("spelling", ALL)
def test_a_forbidden_spelling_is_refused_when_it_is_saved(spelling: str) -> None:
    bare = spelling.strip("[]")
    with closed() as passed:
        for kind, address in (("http_request", f"http://{spelling}/"), ("ping_host", bare), ("port_check", bare)):
            with pytest.raises(ValueError, match=r"."):
                targets.check_guard(targets.check(kind, address))
    assert not passed


@pytest.mark.parametrize("kind", ["ping_host", "port_check"])
def test_no_other_kind_of_check_reaches_a_forbidden_spelling(kind: str) -> None:
    async def together() -> list[Outcome]:
        wanted = (target(kind, spelling.strip("[]"), 5, port=9, packetCount=1) for spelling in ALL)
        return await asyncio.gather(*(probes.PROBES[kind](one) for one in wanted))

    with closed() as passed:
        outcomes = dict(zip(ALL, asyncio.run(together()), strict=True))
    assert not passed
    assert {name: one.message for name, one in outcomes.items() if one.reason is not Reason.BLOCKED_TARGET} == {}
