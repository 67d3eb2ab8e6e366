"""When a certificate's end is worth a warning, and what the warning says. Pure."""

from collections.abc import Mapping
from typing import Any

#: Whole days before the end at which a monitor warns first, where it says nothing else.
FIRST = 30
#: At so many days it warns again, as far as they come after the first time.
AGAIN = (14, 7, 3, 1)
#: `daysRemaining` is below zero from the moment of the end.
EXPIRED = -1
_LONGEST_NAME = 110


def threshold(days_left: int, first: int = FIRST) -> int | None:
    """The last threshold that a certificate with so many whole days left has crossed; None before the `first` one."""
    if days_left > first:
        return None
    return min(one for one in (first, *AGAIN, EXPIRED) if days_left <= one <= first)


def sentence(certificate: Mapping[str, Any]) -> str:
    """Return the warning for people: which certificate ends, when, and whose it is. Takes API.md's `sslCertificate`."""
    date, _, clock = certificate["validTo"].removesuffix("Z").partition("T")
    when = f"on {date} at {clock[:5]} UTC"
    days = certificate["daysRemaining"]
    which = _which(certificate)
    if days < 0:
        end = f"{which} expired {when}."
    elif days == 0:
        end = f"{which} expires within a day, {when}."
    else:
        end = f"{which} expires in {days} day{'' if days == 1 else 's'}, {when}."
    subject, issuer = (str(certificate[name])[:_LONGEST_NAME] or "nobody named" for name in ("subject", "issuer"))
    return f"{end} It was issued to {subject} by {issuer}."


def _which(certificate: Mapping[str, Any]) -> str:
    """Return the certificate as the subject of a sentence; warnings of earlier versions name no host."""
    host = str(certificate.get("host") or "")[:_LONGEST_NAME]
    if certificate.get("isIntermediate"):
        return f"An intermediate certificate that {host or 'the server'} sends"
    return f"The certificate of {host}" if host else "The certificate"
