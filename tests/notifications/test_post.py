"""How channels speak HTTP: guarded, bounded, one connection a request, errors without secrets."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import trustme

from notifications import NotificationError, post
from notifications.post import retry_after
from tests.notifications.conftest import Configure, server_context
from tests.notifications.service import Answer, Service

SECRET = "/services/T0000/B0000/verysecretpart"


def _fails(url: str, **options: str) -> NotificationError:
    with pytest.raises(NotificationError) as raised:
        post.post(url, b"{}", {"Content-Type": "application/json"}, **options)
    assert "verysecretpart" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    return raised.value


@contextmanager
def _raw_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that treats one connection as `serve` likes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            serve(connection)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{SECRET}"
    finally:
        thread.join()
        listener.close()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_taken(service: Service, status: int) -> None:
    service.answers.append(Answer(status, b"" if status == 204 else b"fine"))
    assert post.post(service.url(), b"{}", {}).status == status


@pytest.mark.parametrize("status", [302, 303, 307, 408, 425, 429, 500, 502, 503, 504])
def test_errors_that_may_pass_are_transient(service: Service, status: int) -> None:
    service.answers.append(Answer(status, headers={"Location": "http://127.0.0.1:1/"}))
    assert not _fails(service.url(SECRET)).permanent


@pytest.mark.parametrize("status", [301, 308, 400, 401, 403, 404, 405, 410, 413, 422])
def test_errors_that_stay_are_permanent(service: Service, status: int) -> None:
    service.answers.append(Answer(status, headers={"Location": "http://127.0.0.1:1/", "Retry-After": "5"}))
    error = _fails(service.url(SECRET))
    assert error.permanent
    assert error.retry_after is None


def test_a_redirect_is_not_followed_even_when_its_body_never_ends(service: Service) -> None:
    big = b"x" * 3_000_000
    service.answers.append(Answer(302, big, {"Location": service.url("/elsewhere")}))
    error = _fails(service.url(SECRET))
    assert [request.path for request in service.requests] == [SECRET]
    assert len(str(error)) < 300


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(service: Service, status: int) -> None:
    service.answers.append(Answer(status, headers={"Retry-After": "17"}))
    assert _fails(service.url()).retry_after == 17.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0.75", 0.75),
        ("0", 0.0),
        (" 5 ", 5.0),
        ("999999999", 86_400.0),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2126 11:00:00 GMT", 86_400.0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("nan", None),
        ("٣", None),
        ("Sun, 99 Mar 2026 12:01:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_more_than_a_day(value: str, seconds: float | None) -> None:
    assert retry_after(value, datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00\xff\x00\xff" * 99, b"220 smtp.example ESMTP\r\n", b"HTTP/1.1 abc\r\n\r\n"]
)
def test_an_answer_that_is_not_http_is_transient(service: Service, garbage: bytes) -> None:
    service.answers.append(Answer(raw=garbage))
    assert not _fails(service.url(SECRET)).permanent


def test_an_error_shows_a_short_clean_piece_of_the_reply(service: Service) -> None:
    url = service.url(SECRET)
    body = f"<b>bad</b>\x00\x1b[31m\u202e see {url} or verysecretpart \n" + "x" * 5000
    service.answers.append(Answer(400, body.encode()))
    text = str(_fails(url))
    assert text.startswith("127.0.0.1 responded with HTTP 400: <b>bad</b> [31m see … or …")
    assert len(text) < 250
    assert text.isprintable()


def test_a_body_that_breaks_off_takes_nothing_from_a_2xx(configure: Configure) -> None:
    with _raw_server(lambda one: one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nok")) as url:
        assert post.post(url, b"{}", {}).status == 200


def test_nobody_listening_is_transient_and_says_so(configure: Configure) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = _fails(f"http://127.0.0.1:{port}{SECRET}")
    assert "127.0.0.1 could not be reached: Connection refused" in str(error)
    assert not error.permanent


def test_a_name_that_does_not_resolve_is_transient(configure: Configure) -> None:
    error = _fails(f"http://nowhere.invalid{SECRET}")
    assert str(error) == "nowhere.invalid could not be resolved."
    assert not error.permanent


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "http://a b/",
        "http://x:99999/",
    ],
)
def test_what_is_no_http_url_is_permanent(configure: Configure, url: str) -> None:
    assert _fails(url).permanent


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1", "2130706433", "[::ffff:127.0.0.1]"])
def test_an_internal_address_is_blocked_however_it_is_written(
    service: Service, configure: Configure, host: str
) -> None:
    configure(allow_internal_targets=False)
    error = _fails(f"http://{host}:{service.port}{SECRET}")
    assert error.permanent
    assert "internal address" in str(error)
    assert service.requests == []


def test_the_address_judged_is_the_one_connected_to(
    service: Service, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that resolves to an allowed address first and loopback ever after (DNS rebinding) wins nothing."""
    real, asked = socket.getaddrinfo, []

    def rebinding(host: str, port: int, *args: object, **kwargs: object) -> object:
        asked.append(host)
        address = "127.0.0.1" if len(asked) > 1 else "127.0.0.2"
        return real(address, port, *args, **kwargs)  # type: ignore[arg-type]

    configure(allow_internal_targets=False, allowed_internal_targets=("127.0.0.2/32",))
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    _fails(f"http://rebinding.test:{service.port}{SECRET}")
    assert asked == ["rebinding.test"]
    assert service.requests == []


def test_an_allowed_name_is_reached_with_its_own_host_header(service: Service, configure: Configure) -> None:
    configure(allow_internal_targets=False, allowed_internal_targets=("localhost",))
    post.post(service.url("/", host="localhost"), b"{}", {})
    assert service.requests[0].headers["Host"] == f"localhost:{service.port}"


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("straße.services.test", "xn--strae-oqa.services.test"),
        ("☕.services.test", "xn--53h.services.test"),
        ("hooks.services.test.", "hooks.services.test."),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_beyond_ascii_is_that_of_browsers(
    host: str, asked: str, scheme: str, configure: Configure, trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, names = socket.getaddrinfo, []

    def loopback(name: str, port: int, *args: object, **kwargs: object) -> object:
        names.append(name)
        return real("127.0.0.1", port, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", loopback)
    # The library that makes certificates knows no emoji: a pattern covers them.
    tls = server_context(trusted, "*.services.test") if scheme == "https" else None
    with Service(tls=tls) as service:
        post.post(service.url("/ä?ö=ü", host=host, scheme=scheme), b"{}", {})
    assert names == [asked]
    assert service.requests[0].headers["Host"] == f"{asked.removesuffix('.')}:{service.port}"


def test_tls_checks_the_name_of_the_url_not_the_address(configure: Configure, trusted: trustme.CA) -> None:
    with Service(tls=server_context(trusted, "localhost")) as service:
        post.post(service.url("/", host="localhost", scheme="https"), b"{}", {})
        error = _fails(service.url(SECRET, host="127.0.0.1", scheme="https"))
    assert len(service.requests) == 1
    assert "127.0.0.1 has an untrusted certificate: IP address mismatch" in str(error)


def test_an_untrusted_certificate_is_refused(configure: Configure) -> None:
    with Service(tls=server_context(trustme.CA(), "localhost")) as service:
        error = _fails(service.url(SECRET, host="localhost", scheme="https"))
    assert "localhost has an untrusted certificate" in str(error)
    assert service.requests == []


def test_the_environments_proxies_are_not_used(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    post.post(service.url(), b"{}", {})
    assert len(service.requests) == 1


def test_every_request_has_a_connection_of_its_own(service: Service) -> None:
    for _ in range(3):
        post.post(service.url(), b"{}", {})
    assert len({request.client_port for request in service.requests}) == 3


def test_a_dripping_server_cannot_stretch_the_exchange(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "READ_SECONDS", 0.5)
    monkeypatch.setattr(post, "CONNECT_SECONDS", 0.5)
    gone = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not gone.wait(0.05):
            try:
                connection.sendall(b"X-Drip: 1\r\n")
            except OSError:
                return

    with _raw_server(drip) as url:
        start = time.monotonic()
        try:
            error = _fails(url)
        finally:
            gone.set()
    assert time.monotonic() - start < 3
    assert not error.permanent
    assert str(error) == "127.0.0.1 did not respond in time."


def test_an_endless_body_is_not_read_beyond_64_kb(configure: Configure) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 500 Oops\r\n\r\n")
        try:
            while sent < 200_000_000:
                sent += connection.send(b"x" * 65536)
        except OSError:
            return

    with _raw_server(flood) as url:
        error = _fails(url)
    assert str(error).startswith("127.0.0.1 responded with HTTP 500: xxx")
    assert sent < 50_000_000
