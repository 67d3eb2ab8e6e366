"""Facts about a certificate that a target showed."""

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from actors.probes.wording import plain, text

_LONGEST_NAME = 256

#: One certificate as libcurl tells it: pairs such as `(b"Subject", b"CN = example.org")`; `b"Cert"` is its PEM.
CertificateText = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is kept of one certificate; datetimes are UTC, the fingerprint is lower-case hex.

    `names` are its subject and issuer as encoded in it, to find who issued whom; empty if they cannot be read.
    """

    valid_from: datetime
    valid_to: datetime
    issuer: str
    subject: str
    fingerprint_sha256: str
    names: tuple[bytes, bytes] = (b"", b"")

    def days_left(self, now: datetime) -> int:
        """Whole days until its end, below zero once that has come."""
        return (self.valid_to - now).days

    def details(self, now: datetime) -> dict[str, Any]:
        """API.md's `sslCertificate`; `daysRemaining` is negative once it has expired."""
        return {
            "validFrom": _rfc3339(self.valid_from),
            "validTo": _rfc3339(self.valid_to),
            "daysRemaining": self.days_left(now),
            "issuer": self.issuer,
            "subject": self.subject,
            "fingerprintSha256": self.fingerprint_sha256,
        }


def read(shown: CertificateText) -> Certificate | None:
    """Return the facts of one certificate of libcurl's `INFO_CERTINFO`, or None if even its dates cannot be read."""
    known = dict(shown)
    words = (known.get(name, b"") for name in (b"Cert", b"Subject", b"Issuer", b"Start date", b"Expire date"))
    return _parse(*words)


def read_all(chain: list[CertificateText]) -> list[Certificate]:
    """Return the facts of all readable certificates of `chain`, in its order."""
    return [found for one in chain if (found := read(one)) is not None]


@lru_cache(maxsize=4096)
def _parse(pem: bytes, subject: bytes, issuer: bytes, start: bytes, expire: bytes) -> Certificate | None:
    """The same certificate is parsed once. The words of OpenSSL stand in for what `pem` does not tell."""
    try:
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))).hexdigest()
    except ValueError:
        return None
    try:
        return _strict(pem, fingerprint)
    # A target wrote the bytes: whatever the strict parser raises for them, OpenSSL has read them.
    except Exception:  # noqa: BLE001
        return _lenient(subject, issuer, start, expire, fingerprint)


def _strict(pem: bytes, fingerprint: str) -> Certificate:
    # Imported at the first certificate: workers that check none keep the memory.
    from cryptography import x509

    found = x509.load_pem_x509_certificate(pem)
    return Certificate(
        found.not_valid_before_utc,
        found.not_valid_after_utc,
        plain(found.issuer.rfc4514_string(), _LONGEST_NAME),
        plain(found.subject.rfc4514_string(), _LONGEST_NAME),
        fingerprint,
        (found.subject.public_bytes(), found.issuer.public_bytes()),
    )


def _lenient(subject: bytes, issuer: bytes, start: bytes, expire: bytes, fingerprint: str) -> Certificate | None:
    try:
        first, last = (datetime.fromtimestamp(ssl.cert_time_to_seconds(text(one)), UTC) for one in (start, expire))
    except (ValueError, OverflowError, OSError):
        return None
    return Certificate(
        first, last, plain(text(issuer), _LONGEST_NAME), plain(text(subject), _LONGEST_NAME), fingerprint
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
