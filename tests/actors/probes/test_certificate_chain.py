"""Of all certificates that a check comes across, the one that ends first is watched."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from actors.probes import certificate_chain, http_transfer
from actors.probes.certificate import Certificate
from actors.probes.certificate_chain import first_to_end
from actors.probes.outcome import Outcome, Reason, Status

from .authorities import Issued, context, context_of, issue
from .checking import check
from .site import running

NOW = datetime(2026, 6, 1, tzinfo=UTC)

Trust = Callable[[Issued], None]


@pytest.fixture
def trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trust:
    """Call it with the one authority that checks trust."""

    def choose(root: Issued) -> None:
        path = tmp_path / f"{root.fingerprint}.pem"
        path.write_bytes(root.pem)
        monkeypatch.setattr(http_transfer, "authorities", lambda: str(path))

    return choose


def visit(own: Issued, *chain: Issued) -> Outcome:
    with running(tls=context(own, *chain)) as site:
        return check("website", site.answer("/"))


def test_an_intermediate_that_ends_sooner_is_watched(trust: Trust) -> None:
    root = issue("Root", authority=True)
    middle = issue("Middle", root, authority=True, days=12)
    trust(root)
    outcome = visit(issue("Own", middle, days=89), middle)
    assert outcome.status is Status.UP
    shown = outcome.details["sslCertificate"]
    assert (shown["fingerprintSha256"], shown["daysRemaining"]) == (middle.fingerprint, 12)
    assert (shown["host"], shown["isIntermediate"]) == ("127.0.0.1", True)


def test_an_expired_intermediate_is_named_as_the_cause(trust: Trust) -> None:
    root = issue("Root", authority=True)
    middle = issue("Middle", root, authority=True, days=-3)
    trust(root)
    outcome = visit(issue("Own", middle, days=89), middle)
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.TLS_ERROR)
    day = middle.certificate.not_valid_after_utc
    assert (
        outcome.message
        == f"TLS with 127.0.0.1 failed: the intermediate certificate CN=Middle expired on {day:%Y-%m-%d}."
    )
    assert outcome.details["sslCertificate"]["fingerprintSha256"] == middle.fingerprint
    assert outcome.details["sslCertificate"]["daysRemaining"] < 0


def test_an_expired_authority_of_this_machine_is_named_as_the_cause(trust: Trust) -> None:
    root = issue("Root", authority=True, days=-1)
    trust(root)
    outcome = visit(issue("Own", root, days=89))
    assert outcome.reason is Reason.TLS_ERROR
    assert outcome.message.endswith("failed: the certificate of the authority behind its own has expired.")


def test_an_old_cross_signed_certificate_that_nobody_needs_is_not_watched(trust: Trust) -> None:
    ancient = issue("Ancient root", authority=True, days=-30)
    root = issue("Root", authority=True)
    crossed = issue("Root", ancient, authority=True, days=-30, key=root.key)
    middle = issue("Middle", root, authority=True, days=300)
    own = issue("Own", middle, days=89)
    trust(root)
    outcome = visit(own, middle, crossed)
    assert outcome.status is Status.UP
    assert outcome.details["sslCertificate"]["fingerprintSha256"] == own.fingerprint
    assert "isIntermediate" not in outcome.details["sslCertificate"]


def test_without_verification_the_links_of_a_private_chain_are_watched(trust: Trust) -> None:
    trust(issue("Another root", authority=True))
    root = issue("Root", authority=True)
    middle = issue("Middle", root, authority=True, days=5)
    with running(tls=context(issue("Own", middle), middle, root)) as site:
        outcome = check("website", site.answer("/"), verifyTls=False)
    assert outcome.details["sslCertificate"]["fingerprintSha256"] == middle.fingerprint


@pytest.mark.parametrize("first_ends_sooner", [True, False])
def test_over_redirects_the_certificate_that_ends_first_is_watched(trust: Trust, first_ends_sooner: bool) -> None:
    root = issue("Root", authority=True)
    trust(root)
    first, second = issue("First", root, days=9 if first_ends_sooner else 90), issue("Second", root, days=50)
    with running(tls=context(first)) as site, running(tls=context(second)) as other:
        other.answer("/end")
        url = site.answer("/", status=301, Location=f"https://localhost:{other.port}/end")
        shown = check("website", url).details["sslCertificate"]
    expected = (first, "127.0.0.1", 9) if first_ends_sooner else (second, "localhost", 50)
    assert (shown["fingerprintSha256"], shown["host"], shown["daysRemaining"]) == (
        expected[0].fingerprint,
        *expected[1:],
    )


def test_a_certificate_that_was_refused_behind_a_redirect_is_the_one_that_is_shown(trust: Trust) -> None:
    root = issue("Root", authority=True)
    trust(root)
    other_name = issue("Second", root, days=50, hosts=("other.example",))
    with running(tls=context(issue("First", root, days=9))) as site, running(tls=context(other_name)) as other:
        other.answer("/end")
        outcome = check("website", site.answer("/", status=301, Location=other.url("/end")))
    assert outcome.reason is Reason.TLS_ERROR
    assert outcome.details["sslCertificate"]["fingerprintSha256"] == other_name.fingerprint


@pytest.mark.parametrize("kind", [b"\x13", b"\x14", b"\x16"], ids=["printable", "teletex", "ascii"])
def test_any_bytes_in_a_certificates_name_leave_its_dates_readable(kind: bytes) -> None:
    """Of names in UTF-8 OpenSSL itself takes only valid ones."""
    made = issue("ODDNAM", days=20)
    der = made.certificate.public_bytes(serialization.Encoding.DER)
    for octet in {*range(0, 256, 7), 0x80, 0xE9, 0xFF}:
        odd = der.replace(b"\x0c\x06ODDNAM", kind + b"\x06OD" + bytes([octet, octet]) + b"AM")
        outcome = visit_with(odd, made)
        assert outcome.status is Status.UP
        shown = outcome.details["sslCertificate"]
        assert shown["daysRemaining"] == 20
        assert shown["subject"].isprintable()
        shown["subject"].encode()


def visit_with(der: bytes, made: Issued) -> Outcome:
    with running(tls=context_of(ssl.DER_cert_to_PEM_cert(der).encode(), made.key)) as site:
        return check("website", site.answer("/"), verifyTls=False)


def a_certificate(name: bytes, issuer: bytes, days: int) -> Certificate:
    return Certificate(NOW - timedelta(days=900), NOW + timedelta(days=days), "", "", f"{name!r}{days}", (name, issuer))


@given(st.lists(st.integers(-50, 500), min_size=1, max_size=8), st.data())
def test_the_first_to_end_is_the_least_of_the_links_that_are_needed(ends: list[int], data: st.DataObject) -> None:
    """Links 0 to n, each issued by the next; the authority that is trusted has issued one of them."""
    links = [a_certificate(b"%d" % at, b"%d" % (at + 1), end) for at, end in enumerate(ends)]
    needed = data.draw(st.integers(1, len(links)))
    sent = [links[0], *data.draw(st.permutations(links[1:]))]
    found = first_to_end(sent, {b"%d" % needed: NOW + timedelta(days=900)}, NOW)
    assert found is not None
    assert found.certificate.valid_to == min(one.valid_to for one in links[:needed])
    # Without an authority all of them count, and so they do if it has ended.
    for trusted in ({}, {b"%d" % needed: NOW}):
        found = first_to_end(sent, trusted, NOW)
        assert found is not None
        assert found.certificate.valid_to == min(one.valid_to for one in links)


@given(
    st.lists(st.tuples(st.sampled_from([b"", b"a", b"b", b"c"]), st.sampled_from([b"", b"a", b"b", b"c"])), max_size=10)
)
def test_no_chain_however_tangled_leads_in_circles(names: list[tuple[bytes, bytes]]) -> None:
    sent = [a_certificate(*pair, days) for days, pair in enumerate(names)]
    found = first_to_end(sent, {}, NOW)
    assert (found is None) is (not sent)


def test_an_authority_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "bundle.pem"
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    path.write_bytes(b"# Our own\n" + broken + issue("Root", authority=True).pem + broken)
    assert len(certificate_chain.anchors(str(path))) == 1


def test_the_authorities_of_this_machine_are_read() -> None:
    found = certificate_chain.anchors(http_transfer.authorities())
    assert len(found) > 50
    assert max(found.values()) > datetime.now(UTC)
    assert certificate_chain.anchors("/no/such/file") == {}
