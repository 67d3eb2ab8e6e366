"""The separate look at a certificate, where a check makes no TLS connection of its own."""

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from actors import probes
from actors.probes import certificate_fetch
from actors.probes.certificate_fetch import interval
from actors.probes.outcome import Status

from .checking import check, http, target
from .conftest import server_context
from .site import Site, running

HOUR = 3600


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    certificate_fetch.forget()
    yield
    certificate_fetch.forget()


@pytest.fixture
def certificate() -> trustme.LeafCert:
    """It is not trusted: a look does not judge."""
    return trustme.CA().issue_cert("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=45, hours=1))


@pytest.fixture
def secure(certificate: trustme.LeafCert, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """What stands beside the plain site, on the port where the look expects it."""
    with running(tls=server_context(certificate)) as site:
        monkeypatch.setattr(certificate_fetch, "PORT", site.port)
        yield site


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Call it to let so many seconds pass for the memory of looks."""
    true = certificate_fetch.time.monotonic
    passed = 0.0

    def pass_by(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    monkeypatch.setattr(certificate_fetch, "time", type("Clock", (), {"monotonic": lambda: true() + passed}))
    return pass_by


def handshakes(secure: Site) -> int:
    return len(secure._threads)


def test_a_plain_check_that_watches_the_certificate_shows_it(
    site: Site, secure: Site, certificate: trustme.LeafCert
) -> None:
    outcome = http(site.answer("/"), enableSslCheck=True)
    assert outcome.status is Status.UP
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    assert outcome.details["sslCertificate"]["fingerprintSha256"] == hashlib.sha256(der).hexdigest()
    assert outcome.details["sslCertificate"]["daysRemaining"] == 45
    # And nothing was asked there, and the check itself was made as ever
    assert secure.seen == []
    assert len(site.seen) == 1


def test_nobody_looks_where_it_was_not_asked_for(site: Site, secure: Site) -> None:
    assert "sslCertificate" not in http(site.answer("/")).details
    assert "sslCertificate" not in check("website", site.url(), enableSslCheck=True).details
    assert handshakes(secure) == 0


def test_between_two_looks_the_last_one_holds(site: Site, secure: Site, later: Callable[[float], None]) -> None:
    url = site.answer("/")
    for _ in range(3):
        assert http(url, enableSslCheck=True).details["sslCertificate"]["daysRemaining"] == 45
    assert handshakes(secure) == 1
    # With 45 days left and a warning at 30 the next look comes after six hours
    later(6 * HOUR - 10)
    http(url, enableSslCheck=True)
    assert handshakes(secure) == 1
    later(20)
    http(url, enableSslCheck=True)
    assert handshakes(secure) == 2


def test_a_host_without_tls_changes_nothing_about_the_check(
    site: Site, other_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_site.takes_over = lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    monkeypatch.setattr(certificate_fetch, "PORT", other_site.port)
    outcome = http(site.answer("/", status=500), enableSslCheck=True)
    assert outcome.status is Status.DOWN
    assert "sslCertificate" not in outcome.details


def test_a_look_that_hangs_is_given_up(site: Site, other_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    other_site.takes_over = lambda connection: other_site.stopping.wait(5) and None
    monkeypatch.setattr(certificate_fetch, "PORT", other_site.port)
    monkeypatch.setattr(certificate_fetch, "TIMEOUT_SECONDS", 0.2)
    outcome = http(site.answer("/"), enableSslCheck=True)
    assert outcome.status is Status.UP
    assert "sslCertificate" not in outcome.details
    assert (outcome.response_time_ms or 0) < 200


def test_the_guard_stands_before_the_look_as_well(secure: Site, change_settings: Callable[..., None]) -> None:
    def look() -> dict[str, Any]:
        certificate_fetch.forget()
        try:
            return asyncio.run(certificate_fetch.details(target("http_request", "http://127.0.0.1/"), "127.0.0.1"))
        finally:
            probes.release()

    assert look()
    change_settings(ALLOW_INTERNAL_TARGETS="false")
    assert look() == {}
    assert handshakes(secure) == 1


def test_a_look_speaks_only_the_tls_versions_that_checks_speak(
    certificate: trustme.LeafCert, change_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = server_context(certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with running() as plain, running(tls=context) as old:
        monkeypatch.setattr(certificate_fetch, "PORT", old.port)
        change_settings(ALLOW_INTERNAL_TARGETS="true", MIN_TLS_VERSION="1.3")
        assert "sslCertificate" not in http(plain.answer("/"), enableSslCheck=True).details
        certificate_fetch.forget()
        change_settings(ALLOW_INTERNAL_TARGETS="true", MIN_TLS_VERSION="1.2")
        assert "sslCertificate" in http(plain.answer("/"), enableSslCheck=True).details


def test_a_blocked_check_is_not_followed_by_a_look(secure: Site, change_settings: Callable[..., None]) -> None:
    change_settings(ALLOW_INTERNAL_TARGETS="false")
    outcome = http("http://127.0.0.1:9/", enableSslCheck=True)
    assert outcome.status is Status.ERROR
    assert certificate_fetch._fetched == {}


@pytest.mark.parametrize(
    ("days_left", "hours"), [(None, 1), (-3, 1), (0, 1), (30, 1), (31, 6), (60, 6), (61, 24), (4000, 24)]
)
def test_looks_come_more_often_as_the_end_nears(days_left: int | None, hours: int) -> None:
    assert interval(days_left, 30) == hours * HOUR


@given(st.integers(-100, 5000), st.integers(0, 1000), st.integers(1, 3650))
def test_less_time_never_means_fewer_looks(days_left: int, more: int, warning: int) -> None:
    assert interval(days_left, warning) <= interval(days_left + more, warning)
