"""Two thousand random answers on real sockets: none of them may end as an error of Supercheck."""

import asyncio
import gzip
import random
import socket
import struct
import zlib
from collections import Counter

import brotli
import pytest
import trustme

from actors import probes
from actors.probes.outcome import Outcome, Status

from .checking import target
from .conftest import server_context
from .site import Handler, Site, running
from .test_any_bytes import judge

_ANSWERS, _AT_ONCE, _SEED = 2000, 24, 20261126
_TIMEOUT = 2.0

_NAMES = (
    b"Content-Type",
    b"Content-Encoding",
    b"Transfer-Encoding",
    b"Content-Length",
    b"Set-Cookie",
    b"Location",
    b"Connection",
    b"Trailer",
    b"Upgrade",
    b"Alt-Svc",
    b"Strict-Transport-Security",
    b"WWW-Authenticate",
)
_VALUES = (
    b"gzip",
    b"br, deflate",
    b"chunked",
    b"5",
    b"-1",
    b"99999999999999999999",
    b"close",
    b"h2c",
    b"text/html",
    b"application/json; charset=utf-7",
    b'text/html; charset="',
    b"a=b; Domain=.invalid; Path=/",
    b'h3=":443"',
    b"/0",
    b"//",
    b"http://",
    b"https://127.0.0.1:1/",
    b"http://h.invalid/",
    b"?q",
    b"#",
    b"file:///etc/passwd",
)
_STATUSES = (
    b"200",
    b"204",
    b"206",
    b"301",
    b"302",
    b"304",
    b"307",
    b"400",
    b"401",
    b"407",
    b"500",
    b"999",
    b"000",
    b"100",
    b"101",
    b"103",
)
_PACKERS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}
_BODIES = (b"", b"all is well", b'{"ok": true}', b"[" * 500, "grün".encode("latin-1"), "日本".encode("utf-16"))


def some_bytes(chance: random.Random, longest: int = 40) -> bytes:
    return chance.randbytes(chance.randrange(longest))


def a_word(chance: random.Random) -> bytes:
    """What may stand in one line, mostly."""
    word = some_bytes(chance)
    return word if chance.random() < 0.02 else bytes(one for one in word if one >= 0x20 and one not in b":\x7f")


def spoilt(data: bytes, chance: random.Random, share: float = 0.05) -> bytes:
    """`data`, or, rarely, with some bytes changed, added or left out."""
    for _ in range(chance.choice((1, 3)) if chance.random() < share else 0):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + some_bytes(chance, 4) + data[at + chance.randrange(3) :]
    return data


def a_body(chance: random.Random) -> tuple[bytes, bytes]:
    """Its content coding and what goes over the wire."""
    body = chance.choice((*_BODIES, some_bytes(chance, 3000)))
    coding = chance.choice(("", "", "gzip", "deflate", "br"))
    return coding.encode(), spoilt(_PACKERS[coding](body) if coding else body, chance)


def an_answer(chance: random.Random) -> bytes:
    """An answer as servers write it, or nearly so, or nothing of the kind."""
    if chance.random() < 0.05:
        return some_bytes(chance, 500)
    version = chance.choices((b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2", b"ICY"), (80, 16, 2, 2))[0]
    status = chance.choice((b"200", b"200", b"302", chance.choice(_STATUSES)))
    lines = [version + b" " + status + b" " + chance.choice((b"Word", a_word(chance)))]
    for _ in range(chance.randrange(5)):
        name = chance.choice((*_NAMES, *[b"X-" + a_word(chance)] * 8))
        value = chance.choice((chance.choice(_VALUES), a_word(chance), a_word(chance)))
        lines.append(name + chance.choices((b": ", b":", b" "), (90, 9, 1))[0] + value)
    if status == b"302":
        lines.append(
            b"Location: " + chance.choice((b"/0", b"http://h.invalid/", b"http://", b"?", b"")) + a_word(chance)
        )
    coding, body = a_body(chance)
    if coding and chance.random() < 0.9:
        lines.append(b"Content-Encoding: " + coding)
    framing = chance.randrange(4)
    if framing == 0:
        lines.append(b"Content-Length: %d" % (len(body) + chance.choice((0, 0, 0, 1, -1))))
    elif framing == 1:
        lines.append(b"Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, chance.choice((b"", b"X-T: \xff\r\n")))
    line_end = chance.choice((b"\r\n", b"\r\n", b"\r\n", b"\n"))
    return spoilt(line_end.join([*lines, b"", b""]) + body, chance, 0.15)


def a_handler(site: Site, chance: random.Random) -> Handler:
    """Send an answer whole, in pieces or in part; then close, reset or, rarely, hang."""
    answer = an_answer(chance)
    cut = chance.randrange(len(answer) + 1)
    end = chance.choices(("close", "cut", "reset", "hang"), (80, 10, 8, 2))[0]

    def handle(connection: socket.socket) -> None:
        connection.sendall(answer[:cut])
        if end == "cut":
            return
        connection.sendall(answer[cut:])
        if end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if end == "hang":
            site.stopping.wait(10)

    return handle


def a_config(chance: random.Random) -> dict[str, object]:
    config: dict[str, object] = {"verifyTls": False, "maxRedirects": 2}
    config |= chance.choice(({}, {"keywordInBody": "grün"}, {"jsonPath": "$.ok", "jsonPathExpected": True}))
    config |= chance.choice(({}, {"method": "HEAD"}, {"method": "POST", "body": "a=1"}))
    return config | chance.choice(({}, {"enableSslCheck": True, "reuseConnection": True}, {"ipVersion": "4"}))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("names_of_the_world_do_not_exist")
def test_two_thousand_random_answers_end_in_verdicts_about_the_target(authority: trustme.CA) -> None:
    chance = random.Random(_SEED)
    context = server_context(authority.issue_cert("127.0.0.1"))

    async def one(address: str, config: dict[str, object], room: asyncio.Semaphore) -> Outcome:
        async with room:
            return await probes.http.probe(target("http_request", address, _TIMEOUT, **config))

    async def all_of_them(plain: Site, secure: Site) -> list[Outcome]:
        room = asyncio.Semaphore(_AT_ONCE)
        work = []
        for number in range(_ANSWERS):
            site = chance.choice((plain, plain, secure))
            address = site.script(f"/{number}", a_handler(site, chance))
            work.append(one(address, a_config(chance), room))
        return await asyncio.gather(*work)

    try:
        with running() as plain, running(tls=context) as secure:
            outcomes = asyncio.run(all_of_them(plain, secure))
    finally:
        probes.release()
    assert len(outcomes) == _ANSWERS
    for outcome in outcomes:
        judge(outcome)
    # The answers are neither all good nor all refused at the first byte.
    found = Counter(outcome.reason for outcome in outcomes)
    assert len(found) >= 8, found
    assert sum(outcome.status is Status.UP for outcome in outcomes) > _ANSWERS / 20
