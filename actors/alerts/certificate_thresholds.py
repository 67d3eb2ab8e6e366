"""When to warn of a certificate that expires soon, and the text of the warning. Pure."""

from collections.abc import Mapping
from typing import Any

#: Days before expiry of a monitor's first warning, unless the monitor sets its own number.
FIRST = 30
#: Days before expiry of the further warnings. Those that are not below the first number are skipped.
REPEATED = (14, 7, 3, 1)
#: The threshold of an expired certificate, whose `daysRemaining` is negative.
EXPIRED = -1
_MAX_NAME_LENGTH = 110


def threshold(days_left: int, first: int = FIRST) -> int | None:
    """Return the lowest threshold crossed by a certificate with `days_left` whole days left; None if there is none."""
    if days_left > first:
        return None
    return min(days for days in (first, *REPEATED, EXPIRED) if days_left <= days <= first)


def sentence(certificate: Mapping[str, Any]) -> str:
    """Return the warning: which certificate expires, when, its subject and issuer. Takes API.md's `sslCertificate`."""
    date, _, clock = certificate["validTo"].removesuffix("Z").partition("T")
    when = f"on {date} at {clock[:5]} UTC"
    days = certificate["daysRemaining"]
    name = _name(certificate)
    if days < 0:
        expiry = f"{name} expired {when}."
    elif days == 0:
        expiry = f"{name} expires within a day, {when}."
    else:
        expiry = f"{name} expires in {days} day{'' if days == 1 else 's'}, {when}."
    subject, issuer = (str(certificate[key])[:_MAX_NAME_LENGTH] or "(no name)" for key in ("subject", "issuer"))
    return f"{expiry} Issued to {subject} by {issuer}."


def _name(certificate: Mapping[str, Any]) -> str:
    """Return the certificate as the subject of a sentence. Warnings of earlier versions have no `host`."""
    host = str(certificate.get("host") or "")[:_MAX_NAME_LENGTH]
    if certificate.get("isIntermediate"):
        return f"An intermediate certificate that {host or 'the server'} sends"
    return f"The certificate of {host}" if host else "The certificate"
