"""A separate look at the certificate of a host, for checks that make no TLS connection of their own.

Those are HTTP requests to a plain `http://` address whose `enableSslCheck` was switched on by their user: whoever has a
plain address and watches a certificate means that of the same host, at the port where browsers look for it. An address
that names another port for TLS is written as `https://` and needs no look: its check reads the certificate from its own
connection, and so does one that is redirected to `https://`.

It happens seldom while the end is far and more often as it nears; between two looks the last one's facts hold. Every
worker process looks for itself and forgets with its end, which costs a handshake more and nothing else; a certificate is
warned of once all the same (`models/queries/certificates.py`). A look speaks the TLS versions that checks speak.
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
#: A look must not hold up the check whose outcome it goes with: less than what the engine grants beyond the timeout.
TIMEOUT_SECONDS = 3.0
_HOUR = 3600.0
#: More hosts than this and the memory starts anew.
MAX_HOSTS = 20_000


class _Fetched(NamedTuple):
    """What was seen last, and when to look again by the monotonic clock."""

    seen: Link | None
    refetch_at: float


_fetched: dict[tuple[UUID, str], _Fetched] = {}


def interval(days_left: int | None, warning: int) -> float:
    """Seconds until the next look: a day, 6 hours within twice the warning window, an hour within it or where none was seen."""
    if days_left is None or days_left <= warning:
        return _HOUR
    return 6 * _HOUR if days_left <= 2 * warning else 24 * _HOUR


def wanted(target: Target, origin: Origin, outcome: Outcome) -> bool:
    """Whether the user watches a certificate that the check did not come across: it was asked for at a plain address.

    Websites have the switch on by default, which says nothing about those at plain addresses: they are let be.
    """
    return (
        origin.scheme == "http"
        and target.kind == "http_request"
        and target.config["enableSslCheck"]
        and outcome.status is not Status.ERROR
        and "sslCertificate" not in outcome.details
    )


async def details(target: Target, host: str) -> dict[str, Any]:
    """`sslCertificate` of `host`, seen now or at the last look; empty where it shows none, whatever it does."""
    key = (target.monitor_id, host)
    look = _fetched.get(key)
    if look is None or time.monotonic() >= look.refetch_at:
        seen = await _fetch(host, target.config["ipVersion"])
        warning = int(target.config["sslDaysUntilExpirationWarning"])
        days_left = seen.certificate.days_left(datetime.now(UTC)) if seen else None
        look = _Fetched(seen, time.monotonic() + interval(days_left, warning))
        if len(_fetched) >= MAX_HOSTS:
            _fetched.clear()
        _fetched[key] = look
    return {"sslCertificate": look.seen.details(host, datetime.now(UTC))} if look.seen else {}


def forget() -> None:
    """Look anew at every host."""
    _fetched.clear()


async def _fetch(host: str, ip_version: str) -> Link | None:
    """Shake hands and go: nothing is asked, and nothing is trusted."""
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
