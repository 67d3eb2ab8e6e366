"""What a failed TLS connection is said to have failed of."""

import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime

import pycurl
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from actors.probes import http_failure, http_transfer, tls_failure
from actors.probes.http_request import Origin, Request
from actors.probes.outcome import Outcome, Reason, Status

from .authorities import Issued, context, issue
from .checking import http
from .conftest import server_context
from .site import Site, running


def alerted(number: int) -> Outcome:
    """What a check says of a server that answers its first message with this alert."""

    def refuse(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"\x15\x03\x03\x00\x02\x02" + bytes([number]))

    with running() as site:
        site.takes_over = refuse
        return http(f"https://127.0.0.1:{site.port}/")


@pytest.mark.parametrize("number", [*range(10, 130), 200, 255])
def test_every_alert_has_a_sentence(number: int) -> None:
    outcome = alerted(number)
    assert outcome.status is Status.DOWN
    assert outcome.reason in {Reason.TLS_ERROR, Reason.CONNECTION_RESET}
    assert "libcurl" not in outcome.message
    assert "error:" not in outcome.message
    assert ("client certificate" in outcome.message) is (number in {40, 41, 42, 43, 44, 46, 48, 116}), outcome.message


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (40, "it refused the handshake: it accepts none of our TLS ciphers, or demands a client certificate"),
        (70, "it accepts none of our TLS versions"),
        (80, "it had an internal error"),
        (112, "it does not serve this host name"),
        (116, "it demands a client certificate, which a check does not have"),
        (120, "it speaks neither HTTP/1.1 nor HTTP/2"),
    ],
)
def test_alerts_are_told_in_words(number: int, words: str) -> None:
    assert alerted(number).message == f"TLS with 127.0.0.1 failed: {words}."


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_demand_for_a_client_certificate_is_told(authority: trustme.CA, version: ssl.TLSVersion) -> None:
    demanding = server_context(authority.issue_cert("127.0.0.1"))
    demanding.verify_mode = ssl.CERT_REQUIRED
    demanding.maximum_version = version

    def refuse(connection: socket.socket) -> None:
        # A close before the request is read would be a reset, which may overtake the alert.
        with connection.dup() as raw:
            with suppress(ssl.SSLError), demanding.wrap_socket(connection, server_side=True) as wrapped:
                wrapped.recv(1)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass

    with running() as site:
        site.takes_over = refuse
        outcome = http(f"https://127.0.0.1:{site.port}/")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.TLS_ERROR)
    assert "client certificate" in outcome.message


ROOT = issue("Root", authority=True)
NO_SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
ELSEWHERE = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.com")], excluded_subtrees=None)


class _Unheard(x509.UnrecognizedExtension):
    """A critical extension that no client knows."""

    def __init__(self) -> None:
        super().__init__(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


def _chain(name: str) -> tuple[Issued, ...]:
    """A chain with one fault, the server's own certificate first."""
    if name == "no authority":
        middle = issue("Middle", ROOT)
        return issue("Own", middle), middle
    if name == "another name of an authority":
        middle = issue("Middle", ROOT, authority=True, extensions=(ELSEWHERE,))
        return issue("Own", middle, hosts=("localhost",)), middle
    if name == "weak key":
        return (issue("Own", ROOT, key=rsa.generate_private_key(65537, 1024)),)
    extension = {"not for servers": NO_SERVER, "unknown extension": _Unheard()}[name]
    return (issue("Own", ROOT, extensions=(extension,)),)


@pytest.fixture
def root_is_trusted(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path_factory.mktemp("root") / "root.pem"
    path.write_bytes(ROOT.pem)
    monkeypatch.setattr(http_transfer, "authorities", lambda: str(path))


@pytest.mark.usefixtures("root_is_trusted")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no authority", "an issuer in the certificate chain is not a certificate authority"),
        (
            "another name of an authority",
            "an issuer in the certificate chain must not issue certificates for this name",
        ),
        ("not for servers", "the certificate is not meant for servers"),
        ("unknown extension", "a certificate in its chain has an extension that is not supported"),
    ],
)
def test_what_is_wrong_with_a_chain_is_told(name: str, words: str) -> None:
    with running(tls=context(*_chain(name))) as site:
        outcome = http(site.answer("/").replace("127.0.0.1", "localhost"))
    assert (outcome.reason, outcome.message) == (Reason.TLS_ERROR, f"TLS with localhost failed: {words}.")


@pytest.mark.usefixtures("root_is_trusted")
def test_a_weak_key_is_told() -> None:
    made = context(*_chain("weak key"), ciphers="ALL:@SECLEVEL=0")
    with running(tls=made) as site:
        outcome = http(site.answer("/"))
    assert outcome.message == "TLS with 127.0.0.1 failed: its key is too weak."


@pytest.mark.parametrize("number", range(1, 100))
def test_every_result_of_a_verification_has_a_sentence(number: int) -> None:
    said = f"SSL certificate OpenSSL verify result: something else ({number})"
    sentence = tls_failure.sentence(number, said, [], datetime.now(UTC))
    assert sentence
    assert not sentence.endswith(".")
    assert "libcurl" not in sentence


def test_what_has_no_sentence_is_passed_on_as_openssl_says_it() -> None:
    words = "TLS connect error: error:0A000999:SSL routines::the moon is in the way"
    assert tls_failure.sentence(0, words, [], datetime.now(UTC)) == "OpenSSL says “the moon is in the way”"
    assert tls_failure.sentence(0, "", [], datetime.now(UTC)) == "the handshake did not succeed"


def test_every_code_of_libcurl_is_told_as_somebodys_fault(site: Site) -> None:
    """A code without a sentence is passed on in libcurl's words; ours are never blamed on the target."""
    for code in range(1, 102):
        transfer = http_transfer.Transfer(Request(site.url(), Origin("http", "127.0.0.1", site.port)))
        transfer.code, transfer.words, transfer.opened = code, "some words", True
        outcome = http_failure.explain(transfer, "127.0.0.1", 5)
        transfer.curl.close()
        assert outcome.message.isprintable()
        assert "libcurl error" not in outcome.message
        ours = code in http_failure._WORKER_CODES or code == pycurl.E_URL_MALFORMAT
        assert (outcome.status is Status.ERROR) is ours, code


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"X-Long: " + b"x" * 400_000 + b"\r\n", "sent too many headers. The limit is 5,000 lines and 300 kB."),
        (b"X-One: 1\r\n" * 6000, "sent too many headers. The limit is 5,000 lines and 300 kB."),
        (b"Content-Length: banana\r\n", "violated the HTTP protocol: Invalid Content-Length: value."),
        (b"X-Nul: a\0b\r\n", "violated the HTTP protocol: NUL byte in header."),
        (b"nonsense\r\n", "violated the HTTP protocol: Header without colon."),
    ],
)
def test_headers_that_break_the_rules_are_told_as_such(site: Site, raw: bytes, words: str) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + raw + b"\r\nbody"
    outcome = http(site.script("/", lambda connection: connection.sendall(answer)))
    assert (outcome.reason, outcome.message) == (Reason.PROTOCOL_ERROR, f"127.0.0.1 {words}")


def test_an_answer_in_another_protocol_is_still_told_as_such(site: Site) -> None:
    outcome = http(site.script("/", lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")))
    assert outcome.message == "127.0.0.1 did not respond with HTTP."
