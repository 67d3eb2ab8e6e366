"""The client's address has one spelling, whatever a proxy writes."""

import ipaddress
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st

from tests import factories
from tests.conftest import SettingsOf
from tests.web.serving import an_app
from web.http.client_address import normalize
from web.http.extensions import redis_client

addresses = st.ip_addresses()
ports = st.one_of(st.just(""), st.integers(0, 65535).map(lambda port: f":{port}"))


@given(address=addresses, port=ports, blanks=st.sampled_from(["", " "]))
def test_every_spelling_of_an_address_is_the_address(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: str, blanks: str
) -> None:
    expected = str(getattr(address, "ipv4_mapped", None) or address)
    written = f"[{address}]" if address.version == 6 else str(address)
    assert normalize(blanks + written + port) == expected
    assert normalize(str(address)) == expected
    assert normalize(expected) == expected


@given(st.text())
def test_what_is_no_address_is_none(text: str) -> None:
    found = normalize(text)
    assert found is None or str(ipaddress.ip_address(found)) == found


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "a:1", "[::1", "1.2.3.4:x", "1.2.3", "[1.2.3.4]:", "::ffff:1.2.3.4"]
)
def test_odd_spellings(text: str) -> None:
    assert normalize(text) == ("1.2.3.4" if "1.2.3.4" in text and not text.endswith("x") else None)


@pytest.fixture
def app(database_url: str, settings_of: SettingsOf) -> Iterator[Flask]:
    with an_app(settings_of(trusted_proxies=1)) as made:
        made.add_url_rule("/whoami", view_func=lambda: str(request.remote_addr))
        yield made


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("5.6.7.8:1234", "5.6.7.8"),
        ("[2001:DB8::7]:1234", "2001:db8::7"),
        ("[2001:db8:0::7]", "2001:db8::7"),
        ("::ffff:5.6.7.8", "5.6.7.8"),
        ("9.9.9.9, 5.6.7.8:99", "5.6.7.8"),
        # Without an address it is the proxy's.
        ("unknown", "192.0.2.1"),
    ],
)
def test_a_request_is_of_the_address_without_its_port(app: Flask, forwarded: str, expected: str) -> None:
    peer = {"REMOTE_ADDR": "192.0.2.1"}
    answer = app.test_client().get("/whoami", headers={"X-Forwarded-For": forwarded}, environ_base=peer)
    assert answer.text == expected


def test_wrong_passwords_from_one_address_count_together_whatever_their_ports(app: Flask) -> None:
    # Given an address that guesses, over a connection of its own each time
    client = app.test_client()
    for port in range(1000, 1003):
        page = client.get("/login").text
        token = page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
        client.post(
            "/login",
            data={"email": f"user{port}@example.test", "password": "wrong", "csrf_token": token},
            headers={"X-Forwarded-For": f"5.6.7.8:{port}"},
        )
    # Then all guesses are counted for it
    with app.app_context():
        keys = [key.decode() if isinstance(key, bytes) else key for key in redis_client().keys("signin:address:*")]
        assert keys == ["signin:address:5.6.7.8"]


def test_a_ping_keeps_the_address_without_its_port(app: Flask, connection: psycopg.Connection[Any]) -> None:
    with app.app_context():
        factories.a_monitor(type="heartbeat", token="a-token-of-a-heartbeat-that-is-long-enough")
    url = "/api/heartbeat/a-token-of-a-heartbeat-that-is-long-enough"
    assert app.test_client().get(url, headers={"X-Forwarded-For": "[2001:db8::7]:55"}).status_code == 200
    assert connection.execute("SELECT source->>'ip' FROM heartbeat_pings").fetchall() == [("2001:db8::7",)]
