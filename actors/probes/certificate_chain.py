"""Certificate chains: a chain is valid until the first of its certificates expires."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from actors.probes.certificate import Certificate

#: More certificates than any server needs to send. The rest is ignored.
_MAX_CERTIFICATES = 10
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

#: {encoded subject of a trusted authority: when its last certificate expires}
Anchors = Mapping[bytes, datetime]


class Link(NamedTuple):
    """The certificate of a chain that expires first. `is_intermediate` is True unless it is the target's own."""

    certificate: Certificate
    is_intermediate: bool = False

    def details(self, host: str, now: datetime) -> dict[str, Any]:
        """Return `sslCertificate` as in API.md. `host` sent the certificate."""
        details = {**self.certificate.details(now), "host": host}
        return {**details, "isIntermediate": True} if self.is_intermediate else details


@cache
def anchors(path: str) -> Anchors:
    """Return the authorities in the PEM file `path`, or none if it cannot be read."""
    import warnings

    from cryptography import x509

    trusted: dict[bytes, datetime] = {}
    try:
        bundle = Path(path).read_bytes()
    except OSError:
        return trusted
    with warnings.catch_warnings():
        # Some old authorities have serial numbers that newer RFCs forbid.
        warnings.simplefilter("ignore")
        for pem in _PEM.findall(bundle):
            try:
                authority = x509.load_pem_x509_certificate(pem)
                subject = authority.subject.public_bytes()
            except ValueError:
                # Skip an unreadable certificate.
                continue
            trusted[subject] = max(authority.not_valid_after_utc, trusted.get(subject, authority.not_valid_after_utc))
    return trusted


def first_to_end(sent: Sequence[Certificate], trusted: Anchors, now: datetime) -> Link | None:
    """Return the certificate that expires first. `sent` begins with the target's own certificate.

    Only certificates that clients need count. Servers also send old cross-signed certificates, which clients ignore because
    they trust a nearer authority. If several paths lead to an authority, the one that is valid longest counts. If none does,
    as in private networks, all paths count.
    """
    if not sent:
        return None
    own, *others = sent[:_MAX_CERTIFICATES]
    paths = _paths((own,), others, {subject for subject, end in trusted.items() if end > now})
    _, weakest = max(paths, key=lambda path: (path[0], path[1].valid_to))
    return Link(weakest, is_intermediate=weakest is not own)


def _paths(
    path: tuple[Certificate, ...], others: Sequence[Certificate], trusted: set[bytes]
) -> list[tuple[bool, Certificate]]:
    """Return for each path upwards from `path`: whether it reaches an authority, and its certificate that expires first."""
    top = path[-1]
    subject, issuer = top.names
    weakest = min(path, key=lambda certificate: certificate.valid_to)
    if issuer and issuer in trusted:
        return [(True, weakest)]
    if subject == issuer:
        return [(False, weakest)]
    longer = [
        result
        for above in others
        if above.names[0] == issuer and above not in path
        for result in _paths((*path, above), others, trusted)
    ]
    return longer or [(False, weakest)]
