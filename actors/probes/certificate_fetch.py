"""Fetches the certificate of a host separately, for checks that make no TLS connection of their own.

Those are HTTP requests to an `http://` URL with `enableSslCheck`: the user means the certificate of the same host on the
standard port. A check of an `https://` URL, or one that is redirected to `https://`, reads the certificate from its own
connection.

The certificate is fetched rarely while it is valid for long, and more often before it expires. Between fetches the last facts
are used. Each worker process fetches on its own, which costs an additional handshake only: each certificate is warned of once
(`models/queries/certificates.py`).
"""

import time
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import pycurl

from actors.probes import certificate, http_transfer, resolver
from actors.probes.certificate_chain import Link, anchors, first_to_end
from actors.probes.http_request import Origin, Request
from actors.probes.http_transfer import Transfer
from actors.probes.outcome import Outcome, Status
from actors.probes.target import Target

PORT = 443
#: Less than the time that the engine allows beyond the timeout of the check.
TIMEOUT_SECONDS = 3.0
_HOUR = 3600.0
#: The facts of all hosts are dropped when they exceed this number.
MAX_HOSTS = 20_000


class _Fetched(NamedTuple):
    """The last certificate, and when to fetch it again on the monotonic clock."""

    link: Link | None
    refetch_at: float


_fetched: dict[tuple[UUID, str], _Fetched] = {}


def interval(days_left: int | None, warning: int) -> float:
    """Return the seconds until the next fetch: a day, 6 hours within twice the warning window, else an hour."""
    if days_left is None or days_left <= warning:
        return _HOUR
    return 6 * _HOUR if days_left <= 2 * warning else 24 * _HOUR


def wanted(target: Target, origin: Origin, outcome: Outcome) -> bool:
    """Return whether the certificate must be fetched because the check did not see it.

    Websites are excluded: they have `enableSslCheck` by default, so it does not mean that a certificate is expected.
    """
    return (
        origin.scheme == "http"
        and target.kind == "http_request"
        and target.config["enableSslCheck"]
        and outcome.status is not Status.ERROR
        and "sslCertificate" not in outcome.details
    )


async def details(target: Target, host: str) -> dict[str, Any]:
    """Return `{"sslCertificate": …}` of `host`, fetched now or earlier. Return `{}` if there is none. Raise nothing."""
    key = (target.monitor_id, host)
    fetched = _fetched.get(key)
    if fetched is None or time.monotonic() >= fetched.refetch_at:
        link = await _fetch(host, target.config["ipVersion"])
        warning = int(target.config["sslDaysUntilExpirationWarning"])
        days_left = link.certificate.days_left(datetime.now(UTC)) if link else None
        fetched = _Fetched(link, time.monotonic() + interval(days_left, warning))
        if len(_fetched) >= MAX_HOSTS:
            _fetched.clear()
        _fetched[key] = fetched
    return {"sslCertificate": fetched.link.details(host, datetime.now(UTC))} if fetched.link else {}


def forget() -> None:
    """Drop the facts of all hosts."""
    _fetched.clear()


async def _fetch(host: str, ip_version: str) -> Link | None:
    """Do a TLS handshake without verification and without a request."""
    url = f"https://[{host}]:{PORT}/" if ":" in host else f"https://{host}:{PORT}/"
    request = Request(url, Origin("https", host, PORT))
    deadline = time.monotonic() + TIMEOUT_SECONDS
    transfer = Transfer(request)
    try:
        if not resolver.is_literal(host):
            found = await resolver.addresses(host, ip_version, TIMEOUT_SECONDS)
            if isinstance(found, Outcome):
                return None
            transfer.pin(request.origin, found)
        transfer.choose(ip_version=ip_version, verify_tls=False, record_certificate=True)
        transfer.limit(deadline - time.monotonic(), 1, keep_body=False)
        transfer.curl.setopt(pycurl.CONNECT_ONLY, 1)
        await transfer.run()
        sent = certificate.read_all(transfer.chain)
        return first_to_end(sent, anchors(http_transfer.authorities()), datetime.now(UTC))
    finally:
        transfer.curl.close()
