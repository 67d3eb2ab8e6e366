"""Facts about a certificate that a target sent."""

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from actors.probes.wording import plain, text

_MAX_NAME = 256

#: One certificate as libcurl returns it: pairs such as `(b"Subject", b"CN = example.org")`; `b"Cert"` is its PEM.
CertificateText = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The facts of one certificate. Datetimes are UTC, the fingerprint is lower-case hex.

    `names` are its encoded subject and issuer, used to build the chain. They are empty if they cannot be read.
    """

    valid_from: datetime
    valid_to: datetime
    issuer: str
    subject: str
    fingerprint_sha256: str
    names: tuple[bytes, bytes] = (b"", b"")

    def days_left(self, now: datetime) -> int:
        """Return the whole days until the certificate expires, negative if it has expired."""
        return (self.valid_to - now).days

    def details(self, now: datetime) -> dict[str, Any]:
        """Return `sslCertificate` as in API.md. `daysRemaining` is negative if the certificate has expired."""
        return {
            "validFrom": _rfc3339(self.valid_from),
            "validTo": _rfc3339(self.valid_to),
            "daysRemaining": self.days_left(now),
            "issuer": self.issuer,
            "subject": self.subject,
            "fingerprintSha256": self.fingerprint_sha256,
        }


def read(sent: CertificateText) -> Certificate | None:
    """Return the facts of one certificate of libcurl's `INFO_CERTINFO`, or None if even its dates cannot be read."""
    known = dict(sent)
    words = (known.get(name, b"") for name in (b"Cert", b"Subject", b"Issuer", b"Start date", b"Expire date"))
    return _parse(*words)


def read_all(chain: list[CertificateText]) -> list[Certificate]:
    """Return the facts of all readable certificates of `chain`, in its order."""
    return [facts for sent in chain if (facts := read(sent)) is not None]


@lru_cache(maxsize=4096)
def _parse(pem: bytes, subject: bytes, issuer: bytes, start: bytes, expire: bytes) -> Certificate | None:
    """Parse a certificate, once per process. Use OpenSSL's texts if `pem` cannot be parsed strictly."""
    try:
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))).hexdigest()
    except ValueError:
        return None
    try:
        return _strict(pem, fingerprint)
    # The target chose the bytes, so the strict parser may raise anything. OpenSSL has parsed them.
    except Exception:  # noqa: BLE001
        return _lenient(subject, issuer, start, expire, fingerprint)


def _strict(pem: bytes, fingerprint: str) -> Certificate:
    # Imported at the first certificate, to save memory in workers that see none.
    from cryptography import x509

    parsed = x509.load_pem_x509_certificate(pem)
    return Certificate(
        parsed.not_valid_before_utc,
        parsed.not_valid_after_utc,
        plain(parsed.issuer.rfc4514_string(), _MAX_NAME),
        plain(parsed.subject.rfc4514_string(), _MAX_NAME),
        fingerprint,
        (parsed.subject.public_bytes(), parsed.issuer.public_bytes()),
    )


def _lenient(subject: bytes, issuer: bytes, start: bytes, expire: bytes, fingerprint: str) -> Certificate | None:
    try:
        first, last = (datetime.fromtimestamp(ssl.cert_time_to_seconds(text(date)), UTC) for date in (start, expire))
    except (ValueError, OverflowError, OSError):
        return None
    return Certificate(first, last, plain(text(issuer), _MAX_NAME), plain(text(subject), _MAX_NAME), fingerprint)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
