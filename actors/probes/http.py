"""HTTP requests and websites: one URL asked, its redirects followed, its answer judged."""

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
_NOT_ALLOWED = "Checks over {} are not allowed here. An operator may allow them with ALLOWED_PROTOCOLS."
_PHASES = ("dnsMs", "connectMs", "tlsMs", "firstByteMs", "downloadMs")


@dataclass(slots=True)
class _Course:
    """What a check has seen so far, over all its hops."""

    target: Target
    #: Seconds by phase; a phase that did not take place is absent.
    phases: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    hops: list[dict[str, Any]] = field(default_factory=list)
    #: Of the certificates shown, the one that ends first, and the host that showed it.
    certificate: tuple[Link, str] | None = None

    def add(self, curl: pycurl.Curl) -> None:
        """Add the phases of one transfer; libcurl counts each from the start, in seconds, 0 where not reached."""
        getinfo = curl.getinfo
        total = getinfo(pycurl.TOTAL_TIME)
        answered = getinfo(pycurl.RESPONSE_CODE) != 0
        marks = (
            # Where there was no name to look up, libcurl's few microseconds belong to the connection.
            getinfo(pycurl.NAMELOOKUP_TIME) if "dnsMs" in self.phases else 0.0,
            getinfo(pycurl.CONNECT_TIME),
            getinfo(pycurl.APPCONNECT_TIME),
            getinfo(pycurl.STARTTRANSFER_TIME) if answered else 0.0,
            total if answered else 0.0,
        )
        before = 0.0
        for phase, mark in zip(_PHASES, marks, strict=True):
            if mark > before:
                self._spend(phase, mark - before)
                before = mark
        self.total += total

    def add_lookup(self, taken: float) -> None:
        """Add the time that a name took, in seconds."""
        self._spend("dnsMs", taken)
        self.total += taken

    def show(self, transfer: Transfer, host: str) -> None:
        """Note the certificate of one hop, unless one that ends sooner was shown, or this one was refused."""
        sent = certificate.read_all(transfer.chain)
        link = first_to_end(sent, anchors(http_transfer.authorities()), datetime.now(UTC))
        if link is None:
            return
        if transfer.code == pycurl.E_PEER_FAILED_VERIFICATION:
            # It is why the check fails, so its own facts are those that matter.
            link = link if link.certificate.valid_to <= datetime.now(UTC) else Link(sent[0])
        elif self.certificate and self.certificate[0].certificate.valid_to <= link.certificate.valid_to:
            return
        self.certificate = link, host

    def details(self) -> dict[str, Any]:
        """`timings`, `redirects` and `sslCertificate` of API.md."""
        details: dict[str, Any] = {
            "timings": {name: round(self.phases[name] * 1000, 2) for name in _PHASES if name in self.phases}
        }
        if self.hops:
            details["redirects"] = self.hops
        if self.certificate:
            link, host = self.certificate
            details["sslCertificate"] = link.details(host, datetime.now(UTC))
        return details

    def _spend(self, phase: str, seconds: float) -> None:
        self.phases[phase] = self.phases.get(phase, 0.0) + seconds


async def probe(target: Target) -> Outcome:
    """Ask the URL and judge the answer; covers `http_request` and `website`."""
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
    """Go from hop to hop until one is the answer; all of them share one deadline."""
    follow = target.config["followRedirects"]
    hops_left = int(target.config["maxRedirects"])
    deadline = time.monotonic() + target.timeout
    course = _Course(target)
    transfer: Transfer | None = None
    while True:
        earlier, transfer = transfer, Transfer(request)
        if earlier is not None:
            transfer.keep_cookies_of(earlier)
            earlier.curl.close()
        transfer.follows = follow
        failure = await _ask(target, transfer, request, expected, course, deadline)
        if failure is not None:
            if failure.reason is Reason.INVALID_CONFIG and course.hops:
                failure = _unreadable(request.url)
            return _finish(failure, transfer, course)
        status = transfer.curl.getinfo(pycurl.RESPONSE_CODE)
        onward = transfer.redirect if follow and status in http_transfer.REDIRECTS else ""
        if not onward:
            return await _judge(transfer, course, expected, status)
        course.hops.append({"url": public_url(request.url), "statusCode": status})
        if not hops_left:
            return _finish(_down(Reason.TOO_MANY_REDIRECTS, _too_many(len(course.hops) - 1)), transfer, course)
        hops_left -= 1
        try:
            request = request.redirected(status, onward)
        except InvalidConfig:
            return _finish(_unreadable(onward), transfer, course)


async def _ask(
    target: Target, transfer: Transfer, request: Request, expected: Expectations, course: _Course, deadline: float
) -> Outcome | None:
    """Ask once; None where an answer came, whatever it says."""
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
            course.add_lookup(time.monotonic() - started)
        if isinstance(found, Outcome):
            return found
        if not literal:
            transfer.pin(request.origin, found)
    transfer.choose(
        ip_version=ip_version,
        verify_tls=config["verifyTls"],
        record_certificate=config["enableSslCheck"] and transfer.secure,
    )
    # A certificate is read from the handshake: where one is watched, every check makes its own.
    if config["reuseConnection"] and not transfer.records_certificate:
        transfer.reuse_connection()
    largest = settings.get().max_response_size_mb * _MEGABYTE
    transfer.limit(deadline - time.monotonic(), largest, expected.need_body)
    await transfer.run()
    course.add(transfer.curl)
    if transfer.records_certificate:
        # libcurl has it also where it did not trust it.
        course.show(transfer, host)
    if transfer.failed:
        return http_failure.explain(transfer, host, target.timeout)
    return None


async def _judge(transfer: Transfer, course: _Course, expected: Expectations, status: int) -> Outcome:
    answer = (transfer.received.content, transfer.content_type)
    outcome = await http_expectations.disappointment(expected, status, *answer, course.total * 1000)
    return _finish(outcome or Outcome(Status.UP), transfer, course)


def _finish(outcome: Outcome, transfer: Transfer, course: _Course) -> Outcome:
    """`outcome` with its time and details, as far as the transfer got."""
    curl = transfer.curl
    if outcome.reason is not Reason.BLOCKED_TARGET:
        outcome.response_time_ms = round(course.total * 1000, 2)
    outcome.details = course.details()
    if status := curl.getinfo(pycurl.RESPONSE_CODE):
        outcome.details["statusCode"] = status
    # Where an internal name leads is not for those who may only choose targets.
    if outcome.reason is not Reason.BLOCKED_TARGET and (ip := curl.getinfo(pycurl.PRIMARY_IP)):
        outcome.details["resolvedIp"] = ip
    if outcome.status is Status.DOWN and (evidence := http_evidence.gather(course.target, transfer)):
        outcome.details["evidence"] = evidence
    curl.close()
    return outcome


def _down(reason: Reason, message: str) -> Outcome:
    return Outcome(Status.DOWN, reason=reason, message=message)


def _unreadable(url: str) -> Outcome:
    scheme = url.partition(":")[0].lower()
    why = "cannot be asked for" if scheme in {"http", "https"} else "is not http or https"
    return _down(Reason.PROTOCOL_ERROR, f"The answer redirects to {plain(public_url(url), 120)}, which {why}.")


def _too_many(followed: int) -> str:
    return f"The answer still redirects after {followed} redirect{'' if followed == 1 else 's'}."
