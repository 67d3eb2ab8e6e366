"""HTTP requests and websites: requests one URL, follows redirects, checks the response."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pycurl

import settings
from actors.probes import (
    certificate,
    certificate_fetch,
    http_evidence,
    http_expectations,
    http_failure,
    http_request,
    http_transfer,
    resolver,
)
from actors.probes.certificate_chain import Link, anchors, first_to_end
from actors.probes.http_expectations import Expectations
from actors.probes.http_request import Request
from actors.probes.http_transfer import Transfer
from actors.probes.invalid_config import InvalidConfig
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from actors.probes.wording import plain, public_url

_MEGABYTE = 1024 * 1024
_NOT_ALLOWED = "Checks with {} are not allowed on this installation. An operator can allow them with ALLOWED_PROTOCOLS."
_PHASES = ("dnsMs", "connectMs", "tlsMs", "firstByteMs", "downloadMs")


@dataclass(slots=True)
class _Progress:
    """What a check has measured so far, over all hops."""

    target: Target
    #: Seconds by phase, without phases that did not take place.
    phases: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    hops: list[dict[str, Any]] = field(default_factory=list)
    #: The certificate that expires first, and the host that sent it.
    certificate: tuple[Link, str] | None = None

    def add(self, curl: pycurl.Curl) -> None:
        """Add the phases of one transfer. libcurl measures each from the start, in seconds, 0 if it was not reached."""
        getinfo = curl.getinfo
        total = getinfo(pycurl.TOTAL_TIME)
        responded = getinfo(pycurl.RESPONSE_CODE) != 0
        marks = (
            # If there was no name to look up, libcurl's few microseconds belong to the connection.
            getinfo(pycurl.NAMELOOKUP_TIME) if "dnsMs" in self.phases else 0.0,
            getinfo(pycurl.CONNECT_TIME),
            getinfo(pycurl.APPCONNECT_TIME),
            getinfo(pycurl.STARTTRANSFER_TIME) if responded else 0.0,
            total if responded else 0.0,
        )
        before = 0.0
        for phase, mark in zip(_PHASES, marks, strict=True):
            if mark > before:
                self._add_phase(phase, mark - before)
                before = mark
        self.total += total

    def add_lookup(self, duration: float) -> None:
        """Add the duration of a look-up, in seconds."""
        self._add_phase("dnsMs", duration)
        self.total += duration

    def add_certificate(self, transfer: Transfer, host: str) -> None:
        """Keep the certificate of one hop if it expires first, or if it is the reason for a failure."""
        sent = certificate.read_all(transfer.chain)
        link = first_to_end(sent, anchors(http_transfer.authorities()), datetime.now(UTC))
        if link is None:
            return
        if transfer.code == pycurl.E_PEER_FAILED_VERIFICATION:
            # The certificate made the check fail, so its own facts matter.
            link = link if link.certificate.valid_to <= datetime.now(UTC) else Link(sent[0])
        elif self.certificate and self.certificate[0].certificate.valid_to <= link.certificate.valid_to:
            return
        self.certificate = link, host

    def details(self) -> dict[str, Any]:
        """Return `timings`, `redirects` and `sslCertificate` as in API.md."""
        details: dict[str, Any] = {
            "timings": {name: round(self.phases[name] * 1000, 2) for name in _PHASES if name in self.phases}
        }
        if self.hops:
            details["redirects"] = self.hops
        if self.certificate:
            link, host = self.certificate
            details["sslCertificate"] = link.details(host, datetime.now(UTC))
        return details

    def _add_phase(self, phase: str, seconds: float) -> None:
        self.phases[phase] = self.phases.get(phase, 0.0) + seconds


async def probe(target: Target) -> Outcome:
    """Request the URL and check the response. This is the probe of `http_request` and `website`."""
    try:
        expected = http_expectations.read(target.config)
        request = http_request.build(target)
    except InvalidConfig as error:
        return error.outcome()
    outcome = await _follow(target, request, expected)
    http_evidence.hide_secrets(target, outcome)
    if certificate_fetch.wanted(target, request.origin, outcome):
        outcome.details |= await certificate_fetch.details(target, request.origin.lookup)
    return outcome


async def _follow(target: Target, request: Request, expected: Expectations) -> Outcome:
    """Follow redirects to the final response. All hops share one deadline."""
    follow = target.config["followRedirects"]
    hops_left = int(target.config["maxRedirects"])
    deadline = time.monotonic() + target.timeout
    progress = _Progress(target)
    transfer: Transfer | None = None
    while True:
        earlier, transfer = transfer, Transfer(request)
        if earlier is not None:
            transfer.keep_cookies_of(earlier)
            earlier.curl.close()
        transfer.follows = follow
        failure = await _request(target, transfer, request, expected, progress, deadline)
        if failure is not None:
            if failure.reason is Reason.INVALID_CONFIG and progress.hops:
                failure = _bad_redirect(request.url)
            return _finish(failure, transfer, progress)
        status = transfer.curl.getinfo(pycurl.RESPONSE_CODE)
        onward = transfer.redirect if follow and status in http_transfer.REDIRECTS else ""
        if not onward:
            return await _verify(transfer, progress, expected, status)
        progress.hops.append({"url": public_url(request.url), "statusCode": status})
        if not hops_left:
            return _finish(_down(Reason.TOO_MANY_REDIRECTS, _too_many(len(progress.hops) - 1)), transfer, progress)
        hops_left -= 1
        try:
            request = request.redirected(status, onward)
        except InvalidConfig:
            return _finish(_bad_redirect(onward), transfer, progress)


async def _request(
    target: Target, transfer: Transfer, request: Request, expected: Expectations, progress: _Progress, deadline: float
) -> Outcome | None:
    """Send one request. Return None if there was a response, else the failure."""
    config = target.config
    if request.origin.scheme not in settings.get().allowed_protocols:
        return Outcome(Status.ERROR, reason=Reason.BLOCKED_TARGET, message=_NOT_ALLOWED.format(request.origin.scheme))
    ip_version = config["ipVersion"]
    host = request.origin.host
    literal = resolver.is_literal(host)
    if ip_version != "auto" or not literal:
        started = time.monotonic()
        found = await resolver.addresses(request.origin.lookup, ip_version, deadline - started)
        if not literal:
            progress.add_lookup(time.monotonic() - started)
        if isinstance(found, Outcome):
            return found
        if not literal:
            transfer.pin(request.origin, found)
    transfer.choose(
        ip_version=ip_version,
        verify_tls=config["verifyTls"],
        record_certificate=config["enableSslCheck"] and transfer.secure,
    )
    # The certificate is read from the handshake, so a check that watches it makes a new connection.
    if config["reuseConnection"] and not transfer.records_certificate:
        transfer.reuse_connection()
    max_bytes = settings.get().max_response_size_mb * _MEGABYTE
    transfer.limit(deadline - time.monotonic(), max_bytes, expected.need_body)
    await transfer.run()
    progress.add(transfer.curl)
    if transfer.records_certificate:
        # libcurl also returns untrusted certificates.
        progress.add_certificate(transfer, host)
    if transfer.failed:
        return http_failure.explain(transfer, host, target.timeout)
    return None


async def _verify(transfer: Transfer, progress: _Progress, expected: Expectations, status: int) -> Outcome:
    response = (transfer.received.content, transfer.content_type)
    outcome = await http_expectations.first_mismatch(expected, status, *response, progress.total * 1000)
    return _finish(outcome or Outcome(Status.UP), transfer, progress)


def _finish(outcome: Outcome, transfer: Transfer, progress: _Progress) -> Outcome:
    """Return `outcome` with the times and details of the transfer."""
    curl = transfer.curl
    if outcome.reason is not Reason.BLOCKED_TARGET:
        outcome.response_time_ms = round(progress.total * 1000, 2)
    outcome.details = progress.details()
    if status := curl.getinfo(pycurl.RESPONSE_CODE):
        outcome.details["statusCode"] = status
    # Users who may only choose targets must not learn internal addresses.
    if outcome.reason is not Reason.BLOCKED_TARGET and (ip := curl.getinfo(pycurl.PRIMARY_IP)):
        outcome.details["resolvedIp"] = ip
    if outcome.status is Status.DOWN and (evidence := http_evidence.gather(progress.target, transfer)):
        outcome.details["evidence"] = evidence
    curl.close()
    return outcome


def _down(reason: Reason, message: str) -> Outcome:
    return Outcome(Status.DOWN, reason=reason, message=message)


def _bad_redirect(url: str) -> Outcome:
    scheme = url.partition(":")[0].lower()
    why = "is not a valid URL" if scheme in {"http", "https"} else "is not http or https"
    return _down(Reason.PROTOCOL_ERROR, f"The response redirects to {plain(public_url(url), 120)}, which {why}.")


def _too_many(followed: int) -> str:
    return f"The response still redirects after {followed} redirect{'' if followed == 1 else 's'}."
