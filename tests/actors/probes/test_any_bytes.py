"""Whatever bytes a target writes, a check ends in a verdict about the target that can be stored."""

import asyncio
import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors import probes
from actors.probes.outcome import Outcome, Reason, Status

from .checking import http, target
from .site import Site, running

_AT_ONCE = 16
_END = b"Content-Length: 2\r\n\r\nok"
_TO = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "

#: Place of an answer -> the whole answer with some bytes in that place.
PLACES: dict[str, Callable[[bytes], bytes]] = {
    "version": lambda odd: b"HTTP/1.1" + odd + b" 500 Word\r\n" + _END,
    "status": lambda odd: b"HTTP/1.1 50" + odd + b" Word\r\n" + _END,
    "reason phrase": lambda odd: b"HTTP/1.1 500 W" + odd + b"rd\r\n" + _END,
    "header name": lambda odd: b"HTTP/1.1 500 Word\r\nX-" + odd + b": a\r\n" + _END,
    "header value": lambda odd: b"HTTP/1.1 500 Word\r\nX-Odd: a" + odd + b"b\r\n" + _END,
    "content type": lambda odd: b"HTTP/1.1 500 Word\r\nContent-Type: text/html; x=" + odd + b"\r\n" + _END,
    "charset": lambda odd: b"HTTP/1.1 500 Word\r\nContent-Type: text/html; charset=utf-" + odd + b"\r\n" + _END,
    "content encoding": lambda odd: b"HTTP/1.1 500 Word\r\nContent-Encoding: gz" + odd + b"ip\r\n" + _END,
    "transfer encoding": lambda odd: b"HTTP/1.1 500 Word\r\nTransfer-Encoding: x" + odd + b"\r\n" + _END,
    "content length": lambda odd: b"HTTP/1.1 500 Word\r\nContent-Length: 2" + odd + b"\r\n\r\nok",
    "chunk": lambda odd: b"HTTP/1.1 500 Word\r\nTransfer-Encoding: chunked\r\n\r\n2;" + odd + b"\r\nok\r\n0\r\n\r\n",
    "trailer": lambda odd: (
        b"HTTP/1.1 500 Word\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: " + odd + b"\r\n\r\n"
    ),
    "body": lambda odd: b"HTTP/1.1 500 Word\r\n\r\nJ" + odd + b"r",
    "cookie": lambda odd: _TO + b"/end\r\nSet-Cookie: n=J" + odd + b"r\r\n\r\n",
    "cookie name": lambda odd: _TO + b"/end\r\nSet-Cookie: n" + odd + b"=1; Path=/" + odd + b"\r\n\r\n",
    "cookie domain": lambda odd: _TO + b"/end\r\nSet-Cookie: n=1; Domain=" + odd + b"; Expires=" + odd + b"\r\n\r\n",
    "redirect": lambda odd: _TO + odd + b"\r\n\r\n",
    "redirect scheme": lambda odd: _TO + b"ht" + odd + b"tp://h.invalid/\r\n\r\n",
    "redirect host": lambda odd: _TO + b"http://h" + odd + b"h.invalid/\r\n\r\n",
    "redirect login": lambda odd: _TO + b"http://a" + odd + b":" + odd + b"@h.invalid/\r\n\r\n",
    "redirect port": lambda odd: _TO + b"http://h.invalid:" + odd + b"/\r\n\r\n",
    "redirect literal": lambda odd: _TO + b"http://[::g" + odd + b"]/\r\n\r\n",
    "redirect zone": lambda odd: _TO + b"http://[::1%25" + odd + b"]:1/\r\n\r\n",
    "redirect path": lambda odd: _TO + b"/end/" + odd + b"\r\n\r\n",
    "redirect query": lambda odd: _TO + b"/end?q=" + odd + b"#" + odd + b"\r\n\r\n",
}


pytestmark = pytest.mark.usefixtures("names_of_the_world_do_not_exist")


@pytest.fixture(scope="module")
def odd_site() -> Iterator[Site]:
    with running() as started:
        yield started


def judge(outcome: Outcome) -> None:
    """It says something of the target, and PostgreSQL and JSON can hold it."""
    assert outcome.status is not Status.ERROR, outcome.message
    assert outcome.reason is not Reason.INTERNAL_ERROR
    assert outcome.message.isprintable()
    stored = json.dumps([outcome.message, outcome.details], ensure_ascii=False)
    assert "\\u0000" not in stored
    stored.encode()


@pytest.mark.parametrize("place", PLACES)
def test_every_byte_in_every_place_ends_in_a_verdict_about_the_target(place: str, odd_site: Site) -> None:
    def scripted(octet: int) -> str:
        answer = PLACES[place](bytes([octet]))
        return odd_site.script(f"/{octet}", lambda connection: connection.sendall(answer))

    addresses = [scripted(octet) for octet in range(256)]

    async def all_of_them() -> list[Outcome]:
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(address: str) -> Outcome:
            async with room:
                return await probes.http.probe(target("http_request", address, 10, keywordInBody="ä", maxRedirects=1))

        return await asyncio.gather(*map(one, addresses))

    try:
        outcomes = asyncio.run(all_of_them())
    finally:
        probes.release()
    for outcome in outcomes:
        judge(outcome)
        assert outcome.status is Status.DOWN


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(sorted(PLACES)), odd=st.binary(min_size=1, max_size=80))
def test_any_bytes_in_any_place_end_in_a_verdict_about_the_target(place: str, odd: bytes, odd_site: Site) -> None:
    answer = PLACES[place](odd)
    url = odd_site.script("/odd", lambda connection: connection.sendall(answer))
    judge(http(url, keywordInBody="ä", maxRedirects=1))


def test_a_status_of_500_is_told_whatever_the_headers_hold(site: Site) -> None:
    raw = b"HTTP/1.1 500 X\r\nContent-Type: text/html; x=\xe9\r\nContent-Length: 4\r\n\r\nJ\xc3\xa9r"
    outcome = http(site.script("/", lambda connection: connection.sendall(raw)))
    assert (outcome.reason, outcome.details["statusCode"]) == (Reason.UNEXPECTED_STATUS, 500)
    assert outcome.details["evidence"]["responseHeaders"]["Content-Type"] == "text/html; x=é"
    assert outcome.details["evidence"]["bodyExcerpt"] == "Jér"


def test_a_cookie_goes_back_byte_for_byte_after_a_redirect(site: Site) -> None:
    site.answer("/end", b"arrived")
    raw = _TO + b"/end\r\nSet-Cookie: n=J\xc3\xa9r\xe9\r\n\r\n"
    assert http(site.script("/", lambda connection: connection.sendall(raw))).status is Status.UP
    assert site.seen[1].headers["cookie"].encode("latin-1") == b"n=J\xc3\xa9r\xe9"


@pytest.mark.parametrize("path", ["/schön".encode(), "/schön".encode("latin-1"), b"/sch%C3%B6n"])
def test_a_redirect_to_a_path_beyond_ascii_is_followed(site: Site, path: bytes) -> None:
    for there in ("/sch%C3%B6n", "/sch%F6n"):
        site.answer(there, b"arrived")
    raw = _TO + path + b"\r\n\r\n"
    assert (
        http(site.script("/", lambda connection: connection.sendall(raw)), keywordInBody="arrived").status is Status.UP
    )


def test_a_redirect_to_an_unreadable_host_is_the_targets_fault(site: Site) -> None:
    raw = _TO + b"http://h\x01/\r\n\r\n"
    outcome = http(site.script("/", lambda connection: connection.sendall(raw)))
    assert outcome.status is Status.DOWN


def test_a_header_cannot_hide_a_secret_behind_another_kind_of_line_end(site: Site) -> None:
    raw = b"HTTP/1.1 500 X\r\nSet-Cookie: a=1\x85colour: s3cret\x0cshape: s3cret\r\n" + _END
    outcome = http(site.script("/", lambda connection: connection.sendall(raw)))
    assert outcome.details["evidence"]["responseHeaders"]["Set-Cookie"] == "…"
    assert "s3cret" not in repr(outcome)
