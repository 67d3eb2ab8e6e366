"""Facts about the certificate that a target showed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from actors.probes.wording import plain

_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is kept of one certificate; datetimes are UTC, the fingerprint is lower-case hex."""

    valid_from: datetime
    valid_to: datetime
    issuer: str
    subject: str
    fingerprint_sha256: str

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


@lru_cache(maxsize=4096)
def parse(pem: str) -> Certificate | None:
    """The facts in `pem`, or None where it is not to be read: the same text is parsed once."""
    # Imported at the first certificate: workers that check none keep the memory.
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        return Certificate(
            found.not_valid_before_utc,
            found.not_valid_after_utc,
            plain(found.issuer.rfc4514_string(), _LONGEST_NAME),
            plain(found.subject.rfc4514_string(), _LONGEST_NAME),
            found.fingerprint(SHA256()).hex(),
        )
    except ValueError:
        return None


def first(chain: list[tuple[tuple[str, str], ...]]) -> Certificate | None:
    """The first certificate of libcurl's `INFO_CERTINFO`, which is the server's own; None where there is none."""
    if not chain:
        return None
    pem = next((value for name, value in chain[0] if name == "Cert"), "")
    return parse(pem) if pem else None


def from_chain(chain: list[tuple[tuple[str, str], ...]], now: datetime) -> dict[str, Any] | None:
    """`sslCertificate` of the server's own certificate, None where there is none."""
    found = first(chain)
    return found.details(now) if found else None


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
