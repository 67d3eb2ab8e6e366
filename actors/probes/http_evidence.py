"""What is stored of a response that failed a check, without the monitor's secrets."""

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

MAX_EXCERPT = 2048
_MAX_HEADERS = 40
_MAX_HEADER_LENGTH = 256
_MAX_CHAIN = 5
# Line ends and tabs are kept: the excerpt is shown as it was sent.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
# Secrets of the target, if they have a name: `"access_token": "…"`, `password=…`, `Authorization: Bearer …`.
# The target writes the text, so the expression must not backtrack far.
_NAMED_SECRET = re.compile(
    r"((?:passw|secret|token|api.?key|authorization|cookie|session|credential)[\w-]{0,40}[\"']?\s{0,3}[:=]\s{0,3})"
    r"(?:\"[^\"\n]*\"?|'[^'\n]*'?|(?:(?:basic|bearer)\s{1,3})?[^\s\"',;&<>}]+)",
    re.IGNORECASE,
)


def gather(target: Target, transfer: Transfer) -> dict[str, Any]:
    """Return `details.evidence`, about 15 kB at most: `responseHeaders`, `bodyExcerpt`, `certificateChain` if present.

    Call this before the transfer's handle is closed.
    """
    secrets = _secrets(target)
    evidence = {
        "responseHeaders": _headers(transfer.head, secrets),
        "bodyExcerpt": _excerpt(transfer, secrets),
        "certificateChain": certificate_chain(transfer),
    }
    return {name: value for name, value in evidence.items() if value}


def hide_secrets(target: Target, outcome: Outcome) -> None:
    """Remove the monitor's secrets from texts that the target influences: the message and the redirect URLs."""
    hops = outcome.details.get("redirects", ())
    if not outcome.message and not hops:
        return
    secrets = _secrets(target)
    outcome.message = redaction.without(outcome.message, secrets)
    for hop in hops:
        hop["url"] = redaction.without(hop["url"], secrets)


def certificate_chain(transfer: Transfer) -> list[dict[str, str]]:
    """Return subject, issuer and end of each certificate sent, the target's own first. Empty if they were not recorded."""
    if not transfer.records_certificate:
        return []
    sent = certificate.read_all(transfer.chain[:_MAX_CHAIN])
    return [{"subject": link.subject, "issuer": link.issuer, "validTo": link.valid_to.isoformat()} for link in sent]


def _headers(head: bytes, secrets: set[str]) -> dict[str, str]:
    """Return the last header block of `head`, with credentials hidden and repeated names joined."""
    headers: dict[str, str] = {}
    for full_name, value in http_head.fields(head):
        name = plain(full_name, 64)
        if len(headers) == _MAX_HEADERS and name not in headers:
            continue
        shown = plain(_without(_public(full_name, value), secrets), _MAX_HEADER_LENGTH)
        headers[name] = plain(f"{headers[name]}, {shown}", _MAX_HEADER_LENGTH) if name in headers else shown
    return headers


def _public(name: str, value: str) -> str:
    if CREDENTIAL_NAME.search(name):
        return redaction.HIDDEN
    return public_url(value) if name.lower() in {"location", "content-location"} else value


def _excerpt(transfer: Transfer, secrets: set[str]) -> str:
    received = transfer.received
    words = charsets.decode(received.excerpt, transfer.content_type, is_cut=received.excerpt_is_cut)
    return _UNPRINTABLE.sub(" ", _without(words, secrets))[:MAX_EXCERPT]


def _secrets(target: Target) -> set[str]:
    """Return the secrets that the monitor sends."""
    config = target.config
    auth = config.get("auth") or {}
    secrets = {str(auth.get(name) or "") for name in ("password", "token")}
    secrets |= {
        str(value).strip() for name, value in (config.get("headers") or {}).items() if CREDENTIAL_NAME.search(name)
    }
    # A target may return the `abc` of `Bearer abc` alone.
    secrets |= {word for value in list(secrets) for word in value.split(" ")[1:2]}
    parts = urlsplit(target.address)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    secrets.add(password)
    secrets |= {value for name, value in parse_qsl(parts.query) if CREDENTIAL_NAME.search(name)}
    for name, word in ((auth.get("username"), auth.get("password")), (user, password)):
        if word:
            secrets.add(base64.b64encode(f"{name or ''}:{word}".encode()).decode())
    return secrets - {""}


def _without(text: str, secrets: set[str]) -> str:
    return _NAMED_SECRET.sub(rf"\1{redaction.HIDDEN}", redaction.without(text, secrets))
