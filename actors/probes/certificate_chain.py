"""The certificates that a target sends, taken together: a chain holds only until the first of its links ends."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from actors.probes.certificate import Certificate

#: More certificates than any server has reason to send; the rest is not looked at.
_LONGEST = 10
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

#: Encoded subjects of the trusted authorities, and when the last certificate of that name ends.
Anchors = Mapping[bytes, datetime]


class Link(NamedTuple):
    """The certificate of a chain that ends first; `is_intermediate` says that it is not the target's own."""

    certificate: Certificate
    is_intermediate: bool = False

    def details(self, host: str, now: datetime) -> dict[str, Any]:
        """API.md's `sslCertificate`; `host` is the one that sent it."""
        details = {**self.certificate.details(now), "host": host}
        return {**details, "isIntermediate": True} if self.is_intermediate else details


@cache
def anchors(path: str) -> Anchors:
    """Return the authorities in the PEM file `path`; empty if it cannot be read."""
    import warnings

    from cryptography import x509

    found: dict[bytes, datetime] = {}
    try:
        bundle = Path(path).read_bytes()
    except OSError:
        return found
    with warnings.catch_warnings():
        # Some old authorities have serial numbers that a later RFC forbids.
        warnings.simplefilter("ignore")
        for pem in _PEM.findall(bundle):
            try:
                one = x509.load_pem_x509_certificate(pem)
                subject = one.subject.public_bytes()
            except ValueError:
                # One that cannot be read does not hide the others.
                continue
            found[subject] = max(one.not_valid_after_utc, found.get(subject, one.not_valid_after_utc))
    return found


def first_to_end(sent: Sequence[Certificate], trusted: Anchors, now: datetime) -> Link | None:
    """Return the link of the chain that ends first; `sent` begins with the target's own certificate.

    Only certificates that are needed count: servers also send old cross-signed ones, which clients pass by because
    they trust a nearer authority. Of several ways to an authority the one that lasts longest decides. If none leads to
    an authority, as in private networks, all ways count.
    """
    if not sent:
        return None
    own, *others = sent[:_LONGEST]
    ways = _ways((own,), others, {subject for subject, end in trusted.items() if end > now})
    _, weakest = max(ways, key=lambda way: (way[0], way[1].valid_to))
    return Link(weakest, is_intermediate=weakest is not own)


def _ways(
    way: tuple[Certificate, ...], others: Sequence[Certificate], trusted: set[bytes]
) -> list[tuple[bool, Certificate]]:
    """Return, for each way up from the last of `way`: whether it reaches an authority, and its link that ends first."""
    top = way[-1]
    subject, issuer = top.names
    weakest = min(way, key=lambda one: one.valid_to)
    if issuer and issuer in trusted:
        return [(True, weakest)]
    if subject == issuer:
        return [(False, weakest)]
    found = [
        one
        for above in others
        if above.names[0] == issuer and above not in way
        for one in _ways((*way, above), others, trusted)
    ]
    return found or [(False, weakest)]
