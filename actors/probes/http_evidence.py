"""What is kept of an answer that was not good enough, without the secrets of the monitor that asked."""

import base64
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import charsets
import redaction
from actors.probes import certificate, http_head
from actors.probes.http_transfer import Transfer
from actors.probes.outcome import Outcome
from actors.probes.target import Target
from actors.probes.wording import plain, public_url
from redaction import CREDENTIAL_NAME

LONGEST_EXCERPT = 2048
_MOST_HEADERS = 40
_LONGEST_HEADER = 256
_LONGEST_CHAIN = 5
# Line ends and tabs stay: the excerpt is shown as it was sent.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
# Somebody else's secrets, as far as they have a name: `"access_token": "…"`, `password=…`, `Authorization: Bearer …`.
# A target writes the text: no part of this may look far ahead twice.
_NAMED_SECRET = re.compile(
    r"((?:passw|secret|token|api.?key|authorization|cookie|session|credential)[\w-]{0,40}[\"']?\s{0,3}[:=]\s{0,3})"
    r"(?:\"[^\"\n]*\"?|'[^'\n]*'?|(?:(?:basic|bearer)\s{1,3})?[^\s\"',;&<>}]+)",
    re.IGNORECASE,
)


def gather(target: Target, transfer: Transfer) -> dict[str, Any]:
    """`details.evidence`, at most some 15 kB: `responseHeaders`, `bodyExcerpt`, `certificateChain`, where there are any.

    To be called before the transfer's handle is closed.
    """
    secrets = _secrets(target)
    found = {
        "responseHeaders": _headers(transfer.head, secrets),
        "bodyExcerpt": _excerpt(transfer, secrets),
        "certificateChain": certificate_chain(transfer),
    }
    return {name: value for name, value in found.items() if value}


def hide_secrets(target: Target, outcome: Outcome) -> None:
    """Take the monitor's secrets out of what the target had a hand in: the sentence, and where it redirected to."""
    hops = outcome.details.get("redirects", ())
    if not outcome.message and not hops:
        return
    secrets = _secrets(target)
    outcome.message = redaction.without(outcome.message, secrets)
    for hop in hops:
        hop["url"] = redaction.without(hop["url"], secrets)


def certificate_chain(transfer: Transfer) -> list[dict[str, str]]:
    """Subject, issuer and end of each certificate shown, the target's own first; empty where they were not recorded."""
    if not transfer.records_certificate:
        return []
    shown = certificate.read_all(transfer.chain[:_LONGEST_CHAIN])
    return [{"subject": one.subject, "issuer": one.issuer, "validTo": one.valid_to.isoformat()} for one in shown]


def _headers(head: bytes, secrets: set[str]) -> dict[str, str]:
    """The last header block of `head`; what looks like a credential is hidden, repeated names are joined."""
    headers: dict[str, str] = {}
    for full_name, value in http_head.fields(head):
        name = plain(full_name, 64)
        if len(headers) == _MOST_HEADERS and name not in headers:
            continue
        shown = plain(_without(_public(full_name, value), secrets), _LONGEST_HEADER)
        headers[name] = plain(f"{headers[name]}, {shown}", _LONGEST_HEADER) if name in headers else shown
    return headers


def _public(name: str, value: str) -> str:
    if CREDENTIAL_NAME.search(name):
        return redaction.HIDDEN
    return public_url(value) if name.lower() in {"location", "content-location"} else value


def _excerpt(transfer: Transfer, secrets: set[str]) -> str:
    received = transfer.received
    words = charsets.decode(received.excerpt, transfer.content_type, is_cut=received.excerpt_is_cut)
    return _UNPRINTABLE.sub(" ", _without(words, secrets))[:LONGEST_EXCERPT]


def _secrets(target: Target) -> set[str]:
    """What the monitor sends that nobody else may see."""
    config = target.config
    auth = config.get("auth") or {}
    found = {str(auth.get(name) or "") for name in ("password", "token")}
    found |= {
        str(value).strip() for name, value in (config.get("headers") or {}).items() if CREDENTIAL_NAME.search(name)
    }
    # `Bearer abc` may come back as `abc` alone.
    found |= {word for value in list(found) for word in value.split(" ")[1:2]}
    parts = urlsplit(target.address)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    found.add(password)
    found |= {value for name, value in parse_qsl(parts.query) if CREDENTIAL_NAME.search(name)}
    for name, word in ((auth.get("username"), auth.get("password")), (user, password)):
        if word:
            found.add(base64.b64encode(f"{name or ''}:{word}".encode()).decode())
    return found - {""}


def _without(text: str, secrets: set[str]) -> str:
    return _NAMED_SECRET.sub(rf"\1{redaction.HIDDEN}", redaction.without(text, secrets))
