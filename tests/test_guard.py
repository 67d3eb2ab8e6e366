"""The target guard."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

import guard
from guard import BlockedTarget
from tests.conftest import SettingsOf

FORBIDDEN_ADDRESSES = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.255.255.254 169.254.0.1
    169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255
    198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::ffff:7f00:1
    ::ffff:0:127.0.0.1 ::ffff:0:192.168.1.1 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe
    64:ff9b:1::192.168.0.1 2002:7f00:1:: 2002:a00:1:: 2002:c0a8:101::1 2002:a9fe:a9fe::
    2001:0:4136:e378:8000:63bf:80ff:fffe 2001::1 2001:2::1 2001:10::1 2001:db8::1 3fff::1 100::1
    fc00::1 fd00::1 fdff:ffff::1 fe80::1 fe80::1%lo fe80::5efe:127.0.0.1 febf::1 fec0::1 feff::1
    ff02::1 ff05::2 ff0e::1 4000::1 e000::1
""".split()  # noqa: SIM905 - a table

FORBIDDEN_SPELLINGS = """
    127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0x7f.1 0177.0.0.1 017700000001 0177.1 0 0x0 0.0 10.1 0xa000001 012.1
    192.168.257 192.11010049 0xc0a80001 169.254.43518 2852039166 0xa9fea9fe 172.1048577 4294967295 localhost
""".split()  # noqa: SIM905 - a table

PUBLIC = """
    1.1.1.1 8.8.8.8 9.9.9.9 93.184.216.34 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 192.169.0.1 11.0.0.1
    2606:4700:4700::1111 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1
""".split()  # noqa: SIM905 - a table


@pytest.fixture
def closed(settings_of: SettingsOf) -> None:
    settings_of(allow_internal_targets=False, allowed_internal_targets=())


@pytest.mark.parametrize("address", FORBIDDEN_ADDRESSES)
def test_an_internal_address_is_not_public_whatever_wraps_it(address: str) -> None:
    assert not guard.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert guard.is_public(ipaddress.ip_address(address))


def test_the_tables_of_what_is_forbidden_are_long_enough() -> None:
    assert len({*FORBIDDEN_ADDRESSES, *FORBIDDEN_SPELLINGS}) >= 80


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("spelling", FORBIDDEN_SPELLINGS)
def test_another_spelling_of_an_internal_address_is_blocked(spelling: str) -> None:
    with pytest.raises(BlockedTarget):
        guard.resolve(spelling, 80)
    with pytest.raises(BlockedTarget):
        guard.judge_host_at_save(spelling)


@examples(deadline=None, max_examples=300)
@given(st.ip_addresses(v=4))
def test_no_ipv4_address_that_the_library_calls_private_is_public(address: ipaddress.IPv4Address) -> None:
    if guard.is_public(address):
        assert address.is_global
        assert not (address.is_multicast or address.is_reserved)
    wrapped = [
        ipaddress.IPv6Address(f"::ffff:{address}"),
        ipaddress.IPv6Address(f"64:ff9b::{address}"),
        ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80) | 1),
    ]
    assert {guard.is_public(one) for one in wrapped} == {guard.is_public(address)}


@examples(deadline=None, max_examples=300)
@given(st.ip_addresses(v=6))
def test_no_ipv6_address_that_the_library_calls_private_is_public(address: ipaddress.IPv6Address) -> None:
    if guard.is_public(address) and not list(guard._embedded(address)):
        assert address.is_global
        assert not (address.is_multicast or address.is_reserved or address.is_link_local)


@pytest.mark.usefixtures("closed")
def test_a_refusal_says_what_and_how_to_allow_it() -> None:
    with pytest.raises(BlockedTarget) as refused:
        guard.judge("10.0.0.5", "db.internal")
    assert "db.internal leads to an internal address." in str(refused.value)
    assert "10.0.0.5" not in str(refused.value)
    assert "ALLOWED_INTERNAL_TARGETS=db.internal" in str(refused.value)


@pytest.mark.parametrize(
    ("allowed", "ip", "host", "passes"),
    [
        (("10.0.0.0/8",), "10.1.2.3", "", True),
        (("10.0.0.0/8",), "::ffff:10.1.2.3", "", True),
        (("10.0.0.0/8",), "192.168.0.1", "", False),
        (("db.internal",), "10.1.2.3", "DB.internal.", True),
        (("db.internal",), "10.1.2.3", "other.internal", False),
        (("db.internal",), "10.1.2.3", "evil.db.internal", False),
        (("10.1.2.3",), "10.1.2.3", "any.name", True),
        (("10.1.2.3",), "10.1.2.4", "any.name", False),
        (("fd00::/8",), "fd12::1", "", True),
        (("fd00::/8",), "10.0.0.1", "", False),
        ((), "127.0.0.1", "localhost", False),
        (("xn--strae-oqa.internal",), "10.1.2.3", "Straße.internal.", True),
        (("strasse.internal",), "10.1.2.3", "straße.internal", False),
    ],
)
def test_an_operator_may_allow_networks_addresses_and_names(
    settings_of: SettingsOf, allowed: tuple[str, ...], ip: str, host: str, passes: bool
) -> None:
    settings_of(allow_internal_targets=False, allowed_internal_targets=allowed)
    if passes:
        guard.judge(ip, host)
    else:
        with pytest.raises(BlockedTarget):
            guard.judge(ip, host)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("host", ["a\0b", "x" * 300, "ü" * 80, ""])
def test_a_name_that_cannot_even_be_asked_for_may_be_saved(host: str) -> None:
    guard.judge_host_at_save(host)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    ("host", "asked"),
    [("straße.test", "xn--strae-oqa.test"), ("API.test.", "api.test."), ("☕.test", "xn--53h.test")],
)
def test_a_name_is_asked_for_at_save_as_checks_ask_for_it(
    host: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[object] = []

    def inside(name: object, *_: object) -> list[tuple[object, ...]]:
        names.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    with pytest.raises(BlockedTarget, match=f"ALLOWED_INTERNAL_TARGETS={asked.removesuffix('.')},"):
        guard.judge_host_at_save(host)
    assert names == [asked]


@pytest.mark.usefixtures("closed")
def test_bracketed_addresses_are_judged_as_typed() -> None:
    with pytest.raises(BlockedTarget):
        guard.judge_host_at_save("[::1]")


def test_the_first_allowed_address_of_a_name_is_used(settings_of: SettingsOf) -> None:
    settings_of(allow_internal_targets=False, allowed_internal_targets=("127.0.0.1",))
    assert guard.resolve("127.0.0.1", 80, family=socket.AF_INET) == "127.0.0.1"
