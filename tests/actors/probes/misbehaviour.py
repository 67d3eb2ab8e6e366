"""Fake servers that answer badly, on loopback: what the rows of `test_the_table` look at."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import trustme

from .misbehaviour_compressed import speak_compressed
from .misbehaviour_tls import contexts, off_key, reset
from .site import Site, running

MEGABYTE = 1024 * 1024
STATUSES = (
    200,
    201,
    202,
    204,
    206,
    299,
    300,
    304,
    400,
    401,
    403,
    404,
    405,
    408,
    410,
    418,
    429,
    500,
    502,
    503,
    504,
    511,
    599,
)
_OK = b"HTTP/1.1 200 OK\r\n"
_WORD = "<p>grün 日本</p>"


@contextmanager
def bad_servers(authority: trustme.CA) -> Iterator[dict[str, str]]:
    """The servers' base URLs by name: `plain`, `v6`, `localhost`, those of TLS, and ports where no server speaks HTTP."""
    with ExitStack() as stack:
        plain = stack.enter_context(running())
        six = stack.enter_context(running("::1"))
        forbidden = stack.enter_context(running("127.0.0.2"))
        six.answer("/ok", b"all is well")
        bases = {
            "plain": plain.url("", "127.0.0.1"),
            "localhost": plain.url("", "localhost"),
            "v6": six.url("", "[::1]"),
            "forbidden": forbidden.url("", "127.0.0.2"),
            "closed": f"http://127.0.0.1:{_closed_port()}",
            "deaf": f"http://127.0.0.1:{stack.enter_context(_deaf_port())}",
        }
        for name, context in contexts(authority).items():
            site = stack.enter_context(running(tls=context))
            _speak(site)
            bases[name] = site.url("")
        bases["tls_spoken_to_plainly"] = bases["good"].replace("https", "http")
        for name, handler in off_key().items():
            site = stack.enter_context(running())
            site.takes_over = handler
            bases[name] = f"https://127.0.0.1:{site.port}"
        silent = stack.enter_context(running())
        silent.takes_over = lambda connection: _hang(silent)
        bases["handshake_never_ends"] = f"https://127.0.0.1:{silent.port}"
        _speak(plain)
        _redirect(plain, bases)
        yield bases


def _speak(site: Site) -> None:
    site.answer("/ok", b"all is well", Content_Type="text/plain")
    for status in STATUSES:
        site.answer(f"/status/{status}", status=status)
    _speak_json(site)
    _speak_charsets(site)
    speak_compressed(site)
    _speak_at_length(site)
    _break_off(site)
    _break_the_rules(site)


def _speak_json(site: Site) -> None:
    bodies = {
        "good": b'{"queue": {"depth": 7, "name": "mail"}, "ok": true, "none": null, "list": [1, 2, 3]}',
        "broken": b'{"queue": ',
        "empty": b"",
        "html": b"<html>502</html>",
        "deep": b"[" * 100_000,
        "bom": b'\xef\xbb\xbf{"ok": true}',
        "sixteen": '{"ok": true}'.encode("utf-16"),
        "infinite": b'{"ok": NaN}',
        "large": json.dumps({"pad": "x" * 200_000, "ok": True}).encode(),
        "huge_number": b'{"ok": ' + b"9" * 10_000 + b"}",
        "double": b'{"ok": false, "ok": true}',
    }
    for name, body in bodies.items():
        site.answer(f"/json/{name}", body, Content_Type="application/json")


def _speak_charsets(site: Site) -> None:
    for charset in ("utf-8", "utf-16", "utf-16-le", "shift_jis", "gb18030", "euc-jp"):
        body = _WORD.replace("ü", "u").encode(charset)
        site.answer(f"/charset/{charset}", body, Content_Type=f"text/html; charset={charset}")
    latin = _WORD.encode("latin-1", "replace")
    site.answer("/charset/latin-1", latin, Content_Type='text/html; charset="ISO-8859-1"')
    site.answer("/charset/mislabelled", latin, Content_Type="text/html; charset=utf-8")
    site.answer("/charset/unlabelled", _WORD.encode(), Content_Type="text/html")
    site.answer("/charset/unknown", _WORD.encode(), Content_Type="text/html; charset=klingon")
    site.answer("/charset/codec", _WORD.encode(), Content_Type="text/html; charset=zip")
    site.answer("/charset/meta", b'<meta charset="iso-8859-1">' + latin, Content_Type="text/html")
    site.answer("/charset/unlabelled-latin-1", latin, Content_Type="text/html")
    xml = b'<?xml version="1.0" encoding="iso-8859-1"?>' + latin
    site.answer("/charset/xml", xml, Content_Type="application/xml")
    site.answer("/charset/binary", bytes(range(256)) * 40, Content_Type="image/png")


def _speak_at_length(site: Site) -> None:
    long = b"x" * 12 * MEGABYTE
    site.answer("/long/announced", long)
    site.answer("/long/just-allowed", b"x" * 10 * MEGABYTE)
    site.script("/long/unannounced", lambda connection: connection.sendall(_OK + b"\r\n" + long))
    chunks = b"100000\r\n" + b"x" * MEGABYTE + b"\r\n"
    head = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
    site.script("/long/chunked", lambda connection: connection.sendall(head + chunks * 12 + b"0\r\n\r\n"))
    site.script(
        "/long/only-announced", lambda connection: connection.sendall(_OK + b"Content-Length: 99999999\r\n\r\n")
    )

    def endless(connection: socket.socket) -> None:
        connection.sendall(_OK + b"\r\n")
        while not site.stopping.is_set():
            connection.sendall(b"x" * 65536)

    site.script("/long/endless", endless)


def _break_off(site: Site) -> None:
    site.script("/reset/at-once", reset)
    site.script("/reset/in-headers", lambda connection: reset(connection, _OK + b"X-Half: "))
    site.script("/reset/in-body", lambda connection: reset(connection, _OK + b"Content-Length: 9\r\n\r\nhalf"))
    site.script("/close/at-once", lambda connection: None)
    for name, raw in {
        "in-headers": _OK + b"X-Half: ",
        "in-body": _OK + b"Content-Length: 100\r\n\r\nshort",
        "in-chunks": _OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
    }.items():
        _say(site, f"/close/{name}", raw)
    site.script("/silent/at-once", lambda connection: _hang(site))
    site.script("/silent/in-headers", lambda connection: _hang(site, connection, _OK))
    site.script("/silent/in-body", lambda connection: _hang(site, connection, _OK + b"Content-Length: 9\r\n\r\nhalf"))
    site.script("/drip/headers", lambda connection: _drip(site, connection, _OK, b"X-More: 1\r\n"))
    site.script("/drip/body", lambda connection: _drip(site, connection, _OK + b"Content-Length: 99999\r\n\r\n", b"x"))
    site.script("/drip/hints", lambda connection: _drip(site, connection, b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"))

    def slow(connection: socket.socket) -> None:
        site.stopping.wait(0.2)
        connection.sendall(_OK + b"Content-Length: 11\r\n\r\nall is well")

    def slow_body(connection: socket.socket) -> None:
        connection.sendall(_OK + b"Content-Length: 11\r\n\r\nall ")
        site.stopping.wait(0.2)
        connection.sendall(b"is well")

    site.script("/slow/first-byte", slow)
    site.script("/slow/body", slow_body)


def _break_the_rules(site: Site) -> None:
    body = b"Content-Length: 11\r\n\r\nall is well"
    for name, raw in {
        "another-protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
        "binary": b"\x00\x01\x02\x03" * 10,
        "no-status": b"HTTP/1.1 banana\r\n\r\n",
        "old": b"HTTP/1.0 200 OK\r\n\r\nall is well",
        "continued": b"HTTP/1.1 100 Continue\r\n\r\n" + _OK + body,
        "hinted": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + _OK + body,
        "no-word": b"HTTP/1.1 200\r\n" + body,
        "bare-newlines": b"HTTP/1.1 200 OK\nContent-Length: 11\n\nall is well",
        "bad-chunk": _OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nall is well",
        "negative-length": _OK + b"Content-Length: -5\r\n\r\nall is well",
        "no-length-number": _OK + b"Content-Length: banana\r\n\r\nall is well",
        "nul-header": _OK + b"X-Nul: a\x00b\r\n" + body,
        "folded-header": _OK + b"X-Folded: a\r\n b\r\n" + body,
        "colonless-header": _OK + b"nonsense\r\n" + body,
        "long-header": _OK + b"X-Long: " + b"x" * 400_000 + b"\r\n" + body,
        "many-headers": _OK + b"".join(b"X-%d: x\r\n" % number for number in range(20_000)) + body,
    }.items():
        _say(site, f"/rules/{name}", raw)


def _redirect(site: Site, bases: dict[str, str]) -> None:
    for status in (301, 302, 303, 307, 308):
        site.answer(f"/to/{status}", status=status, Location="/ok")
    places = {
        "loop": "/to/loop",
        "ping": "/to/pong",
        "pong": "/to/ping",
        "relative": "../ok",
        "no-scheme": f"//127.0.0.1:{site.port}/ok",
        "fragment": "/ok#part",
        "file": "file:///etc/passwd",
        "ftp": "ftp://127.0.0.1/x",
        "gopher": "gopher://127.0.0.1:70/_x",
        "script": "javascript:alert(1)",
        "unreadable": "http://[::1",
        "silent": "/silent/at-once",
        "slow": "/slow/first-byte",
        "404": "/status/404",
        "other-family": bases["v6"] + "/ok",
        "unknown-name": "http://no-such-host.invalid/",
        **{name: bases[name] + "/ok" for name in ("closed", "forbidden", "good", "expired", "wrong_host")},
        "forbidden-decimal": bases["forbidden"].replace("127.0.0.2", "2130706434"),
        "forbidden-hex": bases["forbidden"].replace("127.0.0.2", "0x7f.2"),
        "forbidden-mapped": bases["forbidden"].replace("127.0.0.2", "[::ffff:127.0.0.2]"),
        "forbidden-metadata": "http://169.254.169.254/latest/meta-data/",
        "forbidden-user-info": "http://example.com@127.0.0.2/",
    }
    for name, place in places.items():
        site.answer(f"/to/{name}", status=302, Location=place)
    for hops in range(1, 8):
        site.answer(f"/to/hops/{hops}", status=302, Location=f"/to/hops/{hops - 1}" if hops > 1 else "/ok")
    site.answer("/to/nowhere", status=302)
    site.answer("/to/empty", status=302, Location="")


def _say(site: Site, path: str, raw: bytes) -> None:
    site.script(path, lambda connection: connection.sendall(raw))


def _hang(site: Site, connection: socket.socket | None = None, first: bytes = b"") -> None:
    if connection is not None:
        connection.sendall(first)
    site.stopping.wait(10)


def _drip(site: Site, connection: socket.socket, first: bytes, drop: bytes) -> None:
    connection.sendall(first)
    while not site.stopping.wait(0.02):
        connection.sendall(drop)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full: a new one is neither accepted nor refused."""
    with socket.socket() as listener, ExitStack() as queue:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        for _ in range(2):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port
