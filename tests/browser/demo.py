"""A believable installation in the database: what the browser walk and the pages' screenshots look at."""

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from models.rules import histogram
from models.tables import (
    Alert,
    DailyRollup,
    Delivery,
    HeartbeatPing,
    HourlyRollup,
    Incident,
    Location,
    Monitor,
    MonitorResult,
    OperatorWarning,
    Project,
    Role,
    User,
)
from tests import factories
from web.http.extensions import db

LOCATIONS = {"us-east": "Ashburn", "eu-central": "Falkenstein", "asia-pacific": "Singapore"}
_DISTANCE_MS = {"us-east": 0, "eu-central": 45, "asia-pacific": 120}
_CERTIFICATE = {
    "validFrom": "2026-09-30T00:00:00Z",
    "validTo": "2027-01-02T23:59:59Z",
    "daysRemaining": 41,
    "issuer": "CN=R11,O=Let's Encrypt,C=US",
    "subject": "CN=www.example.com",
    "fingerprintSha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


#: What a service answered that was out of order.
ANSWER = {
    "statusCode": 503,
    "resolvedIp": "203.0.113.20",
    "timings": {"dnsMs": 2.1, "connectMs": 11.4, "tlsMs": 24.0, "firstByteMs": 148.2, "downloadMs": 0.9},
    "redirects": [{"url": "https://pay.example.com/status", "statusCode": 302}],
    "evidence": {
        "responseHeaders": {
            "Server": "nginx",
            "Content-Type": "text/html; charset=utf-8",
            "Retry-After": "120",
            "X-Request-Id": "0123456789abcdef" * 16,
        },
        "bodyExcerpt": "<!doctype html>\n<title>503 Service Unavailable</title>\n<h1>Service Unavailable</h1>\n"
        + "no-break-" * 40,
        "certificateChain": [
            {"subject": "CN=pay.example.com", "issuer": "CN=Example CA", "validTo": "2027-02-01T00:00:00+00:00"}
        ],
    },
}


def seed(email: str = "admin@example.com") -> tuple[User, Project]:
    """Everything: an owner (password `factories.PASSWORD`), monitors of every type and state, alerts, warnings."""
    dice = random.Random(7)
    project = factories.a_project(factories.an_organization("Example Ltd"), "Production")
    owner = factories.a_user(project, Role.ORG_OWNER, email=email)
    for position, (code, name) in enumerate(LOCATIONS.items()):
        seen = datetime.now(UTC) if code != "asia-pacific" else datetime.now(UTC) - timedelta(hours=3)
        if db.session.get(Location, code) is None:
            factories.a_location(code, name, position=position, last_seen_at=seen)
    slack = factories.a_provider(project, "slack", {"webhookUrl": "ht…zz"}, name="#on-call")
    mail = factories.a_provider(project, "email", {"to": ["ops@example.com"]}, name="Operations", broken=True)
    mail.last_error = "550 5.1.1 Mailbox unknown"
    _monitors(project, (slack, mail), dice)
    db.session.add(
        OperatorWarning(
            kind="no_worker",
            subject="asia-pacific",
            message="No worker of asia-pacific (Singapore) has been seen for 3 hours; its checks are not made.",
        )
    )
    db.session.commit()
    return owner, project


def _monitors(project: Project, providers: Any, dice: random.Random) -> None:
    everywhere = {"locationConfig": {"enabled": True, "locations": [], "threshold": 50, "strategy": "majority"}}
    shop = _monitor(
        project,
        dice,
        "Shop, front page",
        "website",
        "https://www.example.com/",
        84,
        everywhere,
        ["shop", "public"],
        providers,
    )
    _monitor(
        project,
        dice,
        "Orders API",
        "http_request",
        "https://api.example.com/v2/orders/health",
        132,
        {},
        ["shop", "api"],
        providers,
    )
    down = _monitor(
        project,
        dice,
        "Payments API",
        "http_request",
        "https://pay.example.com/status",
        210,
        everywhere,
        ["shop", "api"],
        providers,
        fails="Expected status 200-299, the server answered 503 Service Unavailable.",
    )
    _monitor(
        project, dice, "Search", "http_request", "https://search.example.com/?q=ping", 48, {}, ["public"], providers
    )
    _monitor(project, dice, "Mail relay", "port_check", "mail.example.com", 21, {"port": 25}, ["mail"], providers)
    _monitor(project, dice, "Edge router", "ping_host", "203.0.113.1", 9, {}, ["network"], providers)
    _monitor(
        project, dice, "Old intranet", "website", "https://intranet.example.com/", 300, {}, [], providers, enabled=False
    )
    _monitor(project, dice, "Nightly backup", "heartbeat", "", 41_000, {}, ["backup"], providers)
    blocked = _monitor(
        project, dice, "Metrics database", "port_check", "10.0.4.7", 3, {"port": 5432}, ["network"], providers
    )
    blocked.state.last_verdict = "error"
    blocked.state.last_error_code = "BLOCKED_TARGET"
    blocked.state.last_error_message = "10.0.4.7 is an internal address. An operator may allow it."
    _alerts(down, shop, providers)


def _monitor(
    project: Project,
    dice: random.Random,
    name: str,
    kind: str,
    target: str,
    typical: float,
    config: dict[str, Any],
    tags: list[str],
    providers: Any,
    fails: str = "",
    **values: Any,
) -> Monitor:
    now = datetime.now(UTC)
    down_since = now - timedelta(minutes=14, seconds=20)
    failure = {
        "status": "down",
        "down_since": down_since,
        "last_status_change_at": down_since,
        "last_error_code": "UNEXPECTED_STATUS",
        "last_error_message": fails,
        "consecutive_failures": 14,
        "failure_sequence": 3,
    }
    good = {"status": "up", "last_status_change_at": now - timedelta(days=12, hours=3)}
    state = {
        **(failure if fails else good),
        "last_verdict": "down" if fails else "up",
        "last_check_at": now - timedelta(seconds=20),
        "last_run_at": now - timedelta(seconds=20),
        "last_response_time_ms": typical,
        "next_run_at": now + timedelta(seconds=40) if values.get("enabled", True) else None,
    }
    monitor = factories.a_monitor(
        project, kind, config, state, providers=tuple(providers), name=name, target=target, tags=tags, **values
    )
    located = list(LOCATIONS) if config.get("locationConfig") else ["" if kind == "heartbeat" else "us-east"]
    _results(monitor, dice, typical, located, down_since if fails else None, fails)
    _rollups(monitor, dice, typical, located)
    if kind == "heartbeat":
        _pings(monitor, dice, typical)
    db.session.commit()
    return monitor


def _time(dice: random.Random, typical: float, at: datetime, location: str) -> float:
    daily = 1 + 0.25 * math.sin(at.timestamp() / 86_400 * 2 * math.pi)
    return round((typical + _DISTANCE_MS.get(location, 0)) * daily * dice.lognormvariate(0, 0.12), 1)


def _results(
    monitor: Monitor, dice: random.Random, typical: float, located: list[str], down_since: datetime | None, fails: str
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    step = timedelta(hours=24) if monitor.type == "heartbeat" else timedelta(minutes=1)
    for back in range(60):
        at = now - step * back - timedelta(seconds=20)
        if monitor.type == "heartbeat" and back > 25:
            break
        failed = down_since is not None and at >= down_since
        for location in located:
            spent = _time(dice, typical, at, location)
            details: dict[str, Any] = {"resolvedIp": "203.0.113.80"}
            if monitor.type in ("http_request", "website"):
                details |= {"statusCode": 503 if failed else 200, "sslCertificate": _CERTIFICATE}
                shares = {"dnsMs": 0.06, "connectMs": 0.18, "tlsMs": 0.27, "firstByteMs": 0.41, "downloadMs": 0.08}
                details["timings"] = {key: round(spent * share, 1) for key, share in shares.items()}
            if failed:
                details |= ANSWER
            db.session.add(
                MonitorResult(
                    id=uuid4(),
                    monitor_id=monitor.id,
                    scheduled_for=at,
                    checked_at=at,
                    location=location or None,
                    status="down" if failed else "up",
                    response_time_ms=spent,
                    error_code="UNEXPECTED_STATUS" if failed else None,
                    error_message=fails if failed else None,
                    consecutive_failure_count=int(failed),
                    details=details,
                )
            )


def _pings(monitor: Monitor, dice: random.Random, typical: float) -> None:
    source = {"ip": "198.51.100.14", "userAgent": "curl/8.5.0", "origin": None, "method": "POST"}
    for back in range(12):
        end = datetime.now(UTC) - timedelta(days=back, seconds=20)
        took = _time(dice, typical, end, "")
        failed = back == 4
        pings: list[tuple[str, datetime, dict[str, Any]]] = [
            ("start", end - timedelta(milliseconds=took), {}),
            (
                "fail" if failed else "success",
                end,
                {
                    "duration_ms": took,
                    "exit_code": 3 if failed else 0,
                    "body": "rsync: write failed on <backup:/srv>: No space left on device (28)" if failed else None,
                },
            ),
        ]
        for kind, at, values in pings:
            db.session.add(
                HeartbeatPing(id=uuid4(), monitor_id=monitor.id, received_at=at, kind=kind, source=source, **values)
            )


def _rollups(monitor: Monitor, dice: random.Random, typical: float, located: list[str]) -> None:
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    per_hour = 1 if monitor.type == "heartbeat" else 60
    for location in located:
        for back in range(24 * 7):
            hour = this_hour - timedelta(hours=back)
            bad = dice.randint(1, 20) if dice.random() < 0.012 and per_hour > 1 else 0
            sums = _sums(monitor, dice, _time(dice, typical, hour, location), per_hour, bad)
            db.session.add(HourlyRollup(hour=hour, location=location, **sums))
        for back in range(90):
            day = this_hour.date() - timedelta(days=back)
            bad = dice.randint(1, 90) if dice.random() < 0.05 and per_hour > 1 else 0
            sums = _sums(
                monitor, dice, _time(dice, typical, this_hour - timedelta(days=back), location), per_hour * 24, bad
            )
            db.session.add(DailyRollup(day=day, location=location, **sums))


def _sums(monitor: Monitor, dice: random.Random, typical: float, count: int, bad: int) -> dict[str, Any]:
    counts = [0] * histogram.BUCKETS
    for _ in range(40):
        counts[histogram.bucket(typical * dice.lognormvariate(0, 0.2))] += 1
    return {
        "monitor_id": monitor.id,
        "up": count - bad,
        "down": bad,
        "response_count": count,
        "response_sum": typical * count,
        "response_min": typical * 0.7,
        "response_max": typical * 2.1,
        "histogram": counts,
    }


def _alerts(down: Monitor, recovered: Monitor, providers: Any) -> None:
    now = datetime.now(UTC)
    slack, mail = providers
    refused = Delivery(
        provider_id=mail.id,
        provider_type="email",
        provider_name=mail.name,
        status="failed",
        attempts=1,
        error="550 5.1.1 Mailbox unknown",
    )
    factories.an_alert(
        recovered,
        slack,
        type="monitor.up",
        alert_number=None,
        reason="Up again after 6 min 12 s.",
        created_at=now - timedelta(hours=5),
    )
    factories.an_alert(
        recovered, slack, reason="The server did not answer in 30 s.", created_at=now - timedelta(hours=5, minutes=6)
    )
    alert: Alert = factories.an_alert(
        down,
        slack,
        failure_sequence=3,
        reason=down.state.last_error_message,
        created_at=down.state.down_since,
        status="failed",
    )
    alert.deliveries[0].status = "sent"
    alert.deliveries[0].sent_at = down.state.down_since + timedelta(seconds=1)
    alert.deliveries.append(refused)
    factories.an_alert(
        down,
        None,
        failure_sequence=3,
        alert_number=2,
        reason=down.state.last_error_message,
        created_at=now - timedelta(minutes=13),
        status="suppressed",
        suppressed_because="muted until 14:00",
    )
    db.session.add_all(
        [
            Incident(
                monitor_id=down.id,
                failure_sequence=3,
                started_at=down.state.down_since,
                error_code="UNEXPECTED_STATUS",
                reason=down.state.last_error_message,
                evidence=factories.an_evidence(
                    ANSWER, location="eu-central", errorMessage=down.state.last_error_message
                ),
            ),
            Incident(
                monitor_id=down.id,
                failure_sequence=2,
                started_at=now - timedelta(days=4),
                ended_at=now - timedelta(days=4) + timedelta(minutes=7),
                error_code="READ_TIMEOUT",
                reason="The server did not answer in 30 s.",
            ),
            Incident(
                monitor_id=recovered.id,
                failure_sequence=1,
                started_at=now - timedelta(hours=5, minutes=6),
                ended_at=now - timedelta(hours=5),
                error_code="READ_TIMEOUT",
                reason="The server did not answer in 30 s.",
            ),
        ]
    )
