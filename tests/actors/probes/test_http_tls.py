import asyncio
import hashlib
import ssl
import warnings
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from actors import probes
from actors.probes.outcome import Outcome, Reason, Status

from .checking import check, http, target
from .conftest import Change, server_context
from .site import Site, running


@pytest.fixture
def good(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("localhost", "127.0.0.1", organization_name="Good, Inc.\x07")


@pytest.mark.usefixtures("trusted")
def test_a_trusted_certificate_is_up_and_its_facts_are_kept(good: trustme.LeafCert) -> None:
    with running(tls=server_context(good)) as site:
        outcome = check("website", site.answer("/", b"hello"))
    assert outcome.status is Status.UP
    assert outcome.details["timings"]["tlsMs"] > 0
    facts = outcome.details["sslCertificate"]
    der = ssl.PEM_cert_to_DER_cert(good.cert_chain_pems[0].bytes().decode())
    assert facts["fingerprintSha256"] == hashlib.sha256(der).hexdigest()
    assert "Testing Authority" in facts["issuer"]
    assert facts["subject"].isprintable()
    assert facts["validTo"].endswith("Z")
    assert facts["daysRemaining"] > 365


@pytest.mark.usefixtures("trusted")
def test_certificates_are_recorded_only_where_asked_for(good: trustme.LeafCert) -> None:
    with running(tls=server_context(good)) as site:
        site.answer("/")
        assert "sslCertificate" not in http(site.url()).details
        assert "sslCertificate" in http(site.url(), enableSslCheck=True).details
        assert "sslCertificate" not in check("website", site.url(), enableSslCheck=False).details


@pytest.mark.usefixtures("trusted")
def test_an_expired_certificate_is_down_unless_it_is_not_verified(authority: trustme.CA) -> None:
    old = authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=3, hours=1))
    with running(tls=server_context(old)) as site:
        site.answer("/")
        outcome = http(site.url())
        tolerant = http(site.url(), verifyTls=False, enableSslCheck=True)
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.TLS_ERROR)
    assert outcome.message == "TLS with 127.0.0.1 failed: the certificate has expired."
    assert tolerant.status is Status.UP
    assert tolerant.details["sslCertificate"]["daysRemaining"] == -4


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("name", ["expired", "of another name", "of an authority that is not trusted"])
def test_what_is_wrong_with_a_refused_certificate_can_be_looked_up(authority: trustme.CA, name: str) -> None:
    """Its facts are kept although no answer came."""
    bad = {
        "expired": authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=3, hours=1)),
        "of another name": authority.issue_cert("other.example"),
        "of an authority that is not trusted": trustme.CA().issue_cert("127.0.0.1"),
    }[name]
    with running(tls=server_context(bad)) as site:
        outcome = check("website", site.answer("/"))
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.TLS_ERROR)
    der = ssl.PEM_cert_to_DER_cert(bad.cert_chain_pems[0].bytes().decode())
    assert outcome.details["sslCertificate"]["fingerprintSha256"] == hashlib.sha256(der).hexdigest()
    assert site.seen == []


@pytest.mark.usefixtures("trusted")
def test_a_redirect_away_from_tls_keeps_the_certificate_that_was_shown(good: trustme.LeafCert, site: Site) -> None:
    with running(tls=server_context(good)) as secure:
        outcome = check("website", secure.answer("/", status=301, Location=site.answer("/plain")))
    assert outcome.status is Status.UP
    assert outcome.details["sslCertificate"]["daysRemaining"] > 365


@pytest.mark.usefixtures("trusted")
def test_a_certificate_that_is_about_to_expire_is_still_up(authority: trustme.CA) -> None:
    soon = authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=2, hours=1))
    with running(tls=server_context(soon)) as site:
        outcome = check("website", site.answer("/"), sslDaysUntilExpirationWarning=30)
    assert outcome.status is Status.UP
    assert outcome.details["sslCertificate"]["daysRemaining"] == 2


def test_an_authority_that_nobody_trusts_is_down(good: trustme.LeafCert) -> None:
    with running(tls=server_context(good)) as site:
        outcome = http(site.answer("/"))
    assert outcome.reason is Reason.TLS_ERROR
    assert "issuer is not trusted" in outcome.message or "not trusted" in outcome.message


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_down(authority: trustme.CA) -> None:
    with running(tls=server_context(authority.issue_cert("other.example"))) as site:
        outcome = http(site.answer("/"))
    assert outcome.reason is Reason.TLS_ERROR
    assert outcome.message == "TLS with 127.0.0.1 failed: the certificate was issued for another name."


def test_a_port_that_does_not_speak_tls_is_down(site: Site) -> None:
    site.takes_over = lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    outcome = http(f"https://127.0.0.1:{site.port}/")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.TLS_ERROR)
    assert outcome.message == "TLS with 127.0.0.1 failed: the port does not speak TLS."


def test_a_handshake_that_never_ends_is_a_connect_timeout(site: Site) -> None:
    site.takes_over = lambda connection: _wait(site)
    outcome = http(f"https://127.0.0.1:{site.port}/", timeout=0.3)
    assert outcome.reason is Reason.CONNECT_TIMEOUT
    assert outcome.message == "127.0.0.1 did not finish the TLS handshake within 0.3 seconds."


def _wait(site: Site) -> None:
    site.stopping.wait(5)


@pytest.mark.usefixtures("trusted")
def test_every_check_makes_its_own_handshake(good: trustme.LeafCert, authority: trustme.CA) -> None:
    """A resumed session would hide that the certificate has been changed for a bad one."""
    context = server_context(good)

    async def before_and_after() -> list[Outcome]:
        one = target("http_request", site.answer("/"))
        before = await probes.http.probe(one)
        authority.issue_cert("other.example").configure_cert(context)
        return [before, await probes.http.probe(one)]

    with running(tls=context) as site:
        before, after = asyncio.run(before_and_after())
    probes.release()
    assert before.status is Status.UP
    assert after.reason is Reason.TLS_ERROR


def _speaks(certificate: trustme.LeafCert, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server of one TLS version only, however old."""
    context = server_context(certificate)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what this is about
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
        context.minimum_version = version
    return context


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "lowest, spoken, status",
    [
        (None, ssl.TLSVersion.TLSv1_1, Status.DOWN),
        (None, ssl.TLSVersion.TLSv1_2, Status.UP),
        ("1.3", ssl.TLSVersion.TLSv1_2, Status.DOWN),
        ("1.3", ssl.TLSVersion.TLSv1_3, Status.UP),
        ("1.1", ssl.TLSVersion.TLSv1_1, Status.UP),
    ],
)
def test_the_lowest_tls_version_is_the_operators_to_choose(
    lowest: str | None, spoken: ssl.TLSVersion, status: Status, good: trustme.LeafCert, change_settings: Change
) -> None:
    change_settings(ALLOW_INTERNAL_TARGETS="true", **({"MIN_TLS_VERSION": lowest} if lowest else {}))
    with running(tls=_speaks(good, spoken)) as site:
        outcome = http(site.answer("/"))
    assert outcome.status is status
    assert (outcome.reason is Reason.TLS_ERROR) is (status is Status.DOWN)


@pytest.mark.usefixtures("trusted")
def test_a_protocol_that_the_operator_does_not_allow_is_blocked_without_a_connection(
    good: trustme.LeafCert, site: Site, change_settings: Change
) -> None:
    change_settings(ALLOW_INTERNAL_TARGETS="true", ALLOWED_PROTOCOLS="https")
    plain = site.answer("/")
    with running(tls=server_context(good)) as secure:
        assert http(secure.answer("/")).status is Status.UP
        redirected = http(secure.answer("/onward", status=302, Location=plain))
    for outcome in (http(plain), redirected):
        assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.BLOCKED_TARGET)
        assert "ALLOWED_PROTOCOLS" in outcome.message
    assert site.seen == []
