"""`supercheck check URL`: run one check with the probe that monitors use. It needs no installation."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import check_types
from actors.probes import PROBES
from actors.probes.outcome import Outcome, Status
from actors.probes.target import Target
from ops.problem import Problem

#: The target is not one of a stored monitor.
NO_MONITOR = UUID(int=0)
PHASES = {
    "dnsMs": "name",
    "connectMs": "connect",
    "tlsMs": "TLS",
    "firstByteMs": "first byte",
    "downloadMs": "download",
}


def target_of(url: str, timeout: float) -> Target:
    """Return the target that `url` names. Raise `Problem` if `url` is invalid."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    host = parts.hostname or ""
    try:
        port = parts.port
    except ValueError:
        raise Problem(f"The port of {url} is wrong: it must be from 1 to 65535.") from None
    if not host:
        raise Problem(f"{url} has no host: write for example https://example.org or tcp://example.org:22.")
    if parts.scheme in {"http", "https"}:
        return _target("http_request", parts.geturl(), timeout, enableSslCheck=True)
    if parts.scheme == "ping":
        return _target("ping_host", host, timeout)
    if parts.scheme not in {"tcp", "udp"}:
        raise Problem(f"{parts.scheme}:// is not supported: use http, https, tcp, udp or ping.")
    if port is None:
        raise Problem(f"{url} has no port: write {parts.scheme}://{host}:PORT.")
    return _target("port_check", host, timeout, port=port, protocol=parts.scheme)


def _target(kind: str, address: str, timeout: float, **config: Any) -> Target:
    return Target(NO_MONITOR, kind, address, timeout, check_types.with_defaults(kind, config))


def check_once(url: str, timeout: float) -> int:
    """Check `url` and print the result; return the exit code, 0 for up. Raise `Problem` if `url` is invalid."""
    target = target_of(url, timeout)
    outcome = asyncio.run(_probe(target))
    for line in report(outcome):
        print(line)
    return 0 if outcome.status is Status.UP else 1


async def _probe(target: Target) -> Outcome:
    return await PROBES[target.kind](target)


def report(outcome: Outcome) -> list[str]:
    """Return the lines to print: the status first, then the probe's measurements."""
    took = "" if outcome.response_time_ms is None else f" in {outcome.response_time_ms:.1f} ms"
    lines = [f"{outcome.status}{took}"]
    if outcome.reason:
        lines.append(f"  {'reason':<14} {outcome.reason}: {outcome.message}")
    timings = outcome.details.get("timings", {})
    lines += [f"  {label:<14} {timings[name]:.1f} ms" for name, label in PHASES.items() if name in timings]
    lines += [f"  {name:<14} {text}" for name, text in _facts(outcome.details)]
    return lines


def _facts(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name, label in (
        ("statusCode", "status code"),
        ("resolvedIp", "address"),
        ("packetLossPercent", "packet loss %"),
    ):
        if name in details:
            found.append((label, str(details[name])))
    if "rttMs" in details:
        found.append(("round trip", " ".join(f"{name} {value} ms" for name, value in details["rttMs"].items())))
    found += [
        ("redirect", str(hop.get("url", hop)) if isinstance(hop, dict) else str(hop))
        for hop in details.get("redirects", [])
    ]
    certificate = details.get("sslCertificate")
    if certificate:
        until = f"{certificate.get('daysRemaining')} days left, until {certificate.get('validTo')}"
        whose = "an intermediate one of " if certificate.get("isIntermediate") else ""
        found.append(("certificate", f"{until} ({whose}{certificate.get('host')})"))
    return found
