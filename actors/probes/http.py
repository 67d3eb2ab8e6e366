"""HTTP requests and websites: one URL asked, its redirects followed, its answer judged."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pycurl

import settings
from actors.probes import (
    certificate,
    certificate_look,
    http_evidence,
    http_expectations,
    http_failure,
    http_request,
    resolver,
)
from actors.probes.http_expectations import Expectations
from actors.probes.http_request import Request
from actors.probes.http_transfer import Transfer
from actors.probes.invalid_config import InvalidConfig
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from actors.probes.wording import plain, public_url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEFAULT_MAX_REDIRECTS = 5
_MEGABYTE = 1024 * 1024
_NOT_ALLOWED = "Checks over {} are not allowed here. An operator may allow them with ALLOWED_PROTOCOLS."
_PHASES = ("dnsMs", "connectMs", "tlsMs", "firstByteMs", "downloadMs")


@dataclass(slots=True)
class _Course:
    """What a check has seen so far, over all its hops."""

    target: Target
    phases: list[float] = field(default_factory=lambda: [0.0] * 5)
    total: float = 0.0
    hops: list[dict[str, Any]] = field(default_factory=list)
    #: The last one that was shown: a redirect may lead away from TLS.
    certificate: dict[str, Any] | None = None

    def add(self, curl: pycurl.Curl) -> None:
        """Add the phases of one transfer; libcurl counts each from the start, in seconds, 0 where not reached."""
        getinfo = curl.getinfo
        total = getinfo(pycurl.TOTAL_TIME)
        answered = getinfo(pycurl.RESPONSE_CODE) != 0
        marks = (
            getinfo(pycurl.NAMELOOKUP_TIME),
            getinfo(pycurl.CONNECT_TIME),
            getinfo(pycurl.APPCONNECT_TIME),
            getinfo(pycurl.STARTTRANSFER_TIME) if answered else 0.0,
            total if answered else 0.0,
        )
        before = 0.0
        for index, mark in enumerate(marks):
            if mark > before:
                self.phases[index] += mark - before
                before = mark
        self.total += total

    def add_lookup(self, taken: float) -> None:
        """Add the time that a name took, in seconds."""
        self.phases[0] += taken
        self.total += taken

    def details(self) -> dict[str, Any]:
        """`timings` and `redirects` of API.md."""
        timings = {name: round(value * 1000, 2) for name, value in zip(_PHASES, self.phases, strict=True)}
        return {"timings": timings, "redirects": self.hops} if self.hops else {"timings": timings}


async def probe(target: Target) -> Outcome:
    """Ask the URL and judge the answer; covers `http_request` and `website`."""
    try:
        expected = http_expectations.read(target.config)
        request = http_request.build(target)
    except InvalidConfig as error:
        return error.outcome()
    outcome = await _follow(target, request, expected)
    http_evidence.hide_secrets(target, outcome)
    if certificate_look.wanted(target, request.origin, outcome):
        outcome.details |= await certificate_look.details(target, request.origin.host)
    return outcome


async def _follow(target: Target, request: Request, expected: Expectations) -> Outcome:
    """Go from hop to hop until one is the answer; all of them share one deadline."""
    follow = target.config.get("followRedirects") is not False
    limit = target.config.get("maxRedirects")
    hops_left = _DEFAULT_MAX_REDIRECTS if limit is None else int(limit)
    deadline = time.monotonic() + target.timeout
    course = _Course(target)
    transfer: Transfer | None = None
    while True:
        earlier, transfer = transfer, Transfer(request)
        if earlier is not None:
            transfer.keep_cookies_of(earlier)
            earlier.curl.close()
        failure = await _ask(target, transfer, request, expected, course, deadline)
        if failure is not None:
            return _finish(failure, transfer, course)
        status = transfer.curl.getinfo(pycurl.RESPONSE_CODE)
        onward = transfer.curl.getinfo(pycurl.REDIRECT_URL) if follow and status in _REDIRECTS else None
        if not onward:
            return await _judge(transfer, course, expected, status)
        course.hops.append({"url": public_url(request.url), "statusCode": status})
        if not hops_left:
            return _finish(_down(Reason.TOO_MANY_REDIRECTS, _too_many(len(course.hops) - 1)), transfer, course)
        hops_left -= 1
        try:
            request = request.redirected(status, onward)
        except InvalidConfig:
            sentence = f"The answer redirects to {plain(public_url(onward), 120)}, which is not http or https."
            return _finish(_down(Reason.PROTOCOL_ERROR, sentence), transfer, course)


async def _ask(
    target: Target, transfer: Transfer, request: Request, expected: Expectations, course: _Course, deadline: float
) -> Outcome | None:
    """Ask once; None where an answer came, whatever it says."""
    config = target.config
    if request.origin.scheme not in settings.get().allowed_protocols:
        return Outcome(Status.ERROR, reason=Reason.BLOCKED_TARGET, message=_NOT_ALLOWED.format(request.origin.scheme))
    ip_version = str(config.get("ipVersion") or "auto")
    host = request.origin.host
    literal = resolver.is_literal(host)
    if ip_version != "auto" or not literal:
        started = time.monotonic()
        found = await resolver.addresses(host, ip_version, deadline - started)
        course.add_lookup(time.monotonic() - started)
        if isinstance(found, Outcome):
            return found
        if not literal:
            transfer.pin(request.origin, found)
    ssl_check = config.get("enableSslCheck")
    if ssl_check is None:
        ssl_check = target.kind == "website"
    transfer.choose(
        ip_version=ip_version,
        verify_tls=config.get("verifyTls") is not False,
        record_certificate=bool(ssl_check) and transfer.secure,
    )
    # A certificate is read from the handshake: where one is watched, every check makes its own.
    if config.get("reuseConnection") and not transfer.records_certificate:
        transfer.reuse_connection()
    largest = settings.get().max_response_size_mb * _MEGABYTE
    transfer.limit(deadline - time.monotonic(), largest, expected.need_body)
    await transfer.run()
    course.add(transfer.curl)
    if transfer.records_certificate:
        # libcurl has it also where it did not trust it.
        shown = certificate.from_chain(transfer.curl.getinfo(pycurl.INFO_CERTINFO), datetime.now(UTC))
        course.certificate = shown or course.certificate
    if transfer.code or transfer.cut_off:
        return http_failure.explain(transfer, host, target.timeout)
    return None


async def _judge(transfer: Transfer, course: _Course, expected: Expectations, status: int) -> Outcome:
    answer = (transfer.body, transfer.content_type)
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
    if course.certificate:
        outcome.details["sslCertificate"] = course.certificate
    if outcome.status is Status.DOWN and (evidence := http_evidence.gather(course.target, transfer)):
        outcome.details["evidence"] = evidence
    curl.close()
    return outcome


def _down(reason: Reason, message: str) -> Outcome:
    return Outcome(Status.DOWN, reason=reason, message=message)


def _too_many(followed: int) -> str:
    return f"The answer still redirects after {followed} redirect{'' if followed == 1 else 's'}."
