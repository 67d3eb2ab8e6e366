"""What the demo project contains: channels, monitors of each type in each state, their outages and alerts."""

import hashlib
import random
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from models.secrets import encryption
from models.tables import (
    Alert,
    Delivery,
    Incident,
    Monitor,
    MonitorNotificationSetting,
    MonitorState,
    NotificationProvider,
    Project,
)
from ops.demo import history
from ops.demo.history import Past

_REASON = "HTTP 503 received, expected 200-299."
_FAILURE = {
    "statusCode": 503,
    "evidence": {
        "responseHeaders": {"Server": "nginx", "Content-Type": "text/html; charset=utf-8", "Retry-After": "120"},
        "bodyExcerpt": "<!doctype html>\n<title>503 Service Unavailable</title>\n<h1>Service Unavailable</h1>\n",
    },
}
_HTTP = {
    "expectedStatusCodes": "200-299",
    "keywordInBodyShouldBePresent": True,
    "auth": {"type": "none"},
    "sslDaysUntilExpirationWarning": 30,
    "followRedirects": True,
    "maxRedirects": 5,
    "verifyTls": True,
    "ipVersion": "auto",
}
_CONFIGS: dict[str, dict[str, Any]] = {
    "http_request": {**_HTTP, "method": "GET", "headers": {}, "enableSslCheck": True},
    "website": _HTTP,
    "ping_host": {"packetCount": 3, "packetSize": 56, "maxPacketLossPercent": 99, "ipVersion": "auto"},
    "port_check": {"port": 25, "protocol": "tcp", "ipVersion": "auto"},
    "heartbeat": {"expectedIntervalMinutes": 1440, "gracePeriodMinutes": 60, "timezone": "UTC", "requireApiKey": False},
}


class Line(NamedTuple):
    """One monitor of the demo. `state` is up, down, error or paused."""

    name: str
    type: str
    target: str
    typical_ms: float
    tags: tuple[str, ...]
    state: str = "up"
    everywhere: bool = False


MONITORS = (
    Line("Shop, front page", "website", "https://www.example.com/", 84, ("shop", "public"), everywhere=True),
    Line("Orders API", "http_request", "https://api.example.com/v2/orders/health", 132, ("shop", "api")),
    Line(
        "Payments API", "http_request", "https://pay.example.com/status", 210, ("shop", "api"), "down", everywhere=True
    ),
    Line("Search", "http_request", "https://search.example.com/?q=ping", 48, ("public",)),
    Line("Mail relay", "port_check", "mail.example.com", 21, ("mail",)),
    Line("Edge router", "ping_host", "203.0.113.1", 9, ("network",)),
    Line("Old intranet", "website", "https://intranet.example.com/", 300, (), "paused"),
    Line("Nightly backup", "heartbeat", "", 41_000, ("backup",)),
    Line("Metrics database", "port_check", "10.0.4.7", 3, ("network",), "error"),
)


def fill(db: Session, project: Project, codes: Sequence[str], now: datetime, dice: random.Random) -> list[Monitor]:
    """Add everything to `project`; return its monitors. `codes` are the locations, the first one is the default."""
    chat, mail = _providers(db, project)
    monitors = [_monitor(db, project, line, codes, now, dice) for line in MONITORS]
    for monitor in monitors:
        monitor.providers = [MonitorNotificationSetting(provider_id=provider.id) for provider in (chat, mail)]
    db.flush()
    by_name = {monitor.name: monitor for monitor in monitors}
    _outages(db, by_name["Payments API"], by_name["Shop, front page"], chat, mail, now)
    return monitors


def _providers(db: Session, project: Project) -> tuple[NotificationProvider, NotificationProvider]:
    chat_id = uuid4()
    hook = {"webhookUrl": "https://hooks.slack.com/services/T00000000/B00000000/demo"}
    chat = NotificationProvider(
        id=chat_id,
        project_id=project.id,
        name="#on-call",
        type="slack",
        config={"webhookUrl": "ht…mo"},
        secrets=encryption.encrypt(hook, "notification_providers", chat_id),
    )
    mail = NotificationProvider(
        id=uuid4(),
        project_id=project.id,
        name="Operations",
        type="email",
        config={"to": ["ops@example.com"]},
        broken=True,
        last_error="550 5.1.1 Mailbox unknown",
    )
    db.add_all([chat, mail])
    db.flush()
    return chat, mail


def _monitor(
    db: Session, project: Project, line: Line, codes: Sequence[str], now: datetime, dice: random.Random
) -> Monitor:
    monitor_id = uuid4()
    located = {"enabled": line.everywhere, "locations": [], "threshold": 50, "strategy": "majority"}
    config = {"timeoutSeconds": 30, "retries": 1, **_CONFIGS[line.type]}
    is_heartbeat = line.type == "heartbeat"
    monitor = Monitor(
        id=monitor_id,
        project_id=project.id,
        name=line.name,
        description="Demo data. This monitor is never checked.",
        type=line.type,
        target=line.target,
        interval_seconds=90_000 if is_heartbeat else 60,
        config=config if is_heartbeat else config | {"locationConfig": located},
        tags=list(line.tags),
        enabled=line.state != "paused",
        created_at=now - timedelta(days=120),
        **(_token(monitor_id) if is_heartbeat else {}),
    )
    monitor.state = _state(line, monitor_id, now)
    db.add(monitor)
    db.flush()
    down_since = monitor.state.down_since
    past = Past(
        [""] if is_heartbeat else list(codes) if line.everywhere else list(codes[:1]),
        line.typical_ms,
        certificate=_certificate(now) if line.target.startswith("https:") else None,
        down_since=down_since,
        error_code="UNEXPECTED_STATUS",
        error_message=_REASON,
        failure=_FAILURE,
    )
    db.add_all(history.rows(monitor, past, now, dice))
    return monitor


def _token(monitor_id: UUID) -> dict[str, Any]:
    token = secrets.token_urlsafe(32)
    return {
        "secrets": encryption.encrypt({"heartbeatToken": token}, "monitors", monitor_id),
        "heartbeat_token_hash": hashlib.sha256(token.encode()).digest(),
    }


def _state(line: Line, monitor_id: UUID, now: datetime) -> MonitorState:
    """Return the state; without a next run, so that the scheduler leaves the monitor alone."""
    checked = {"last_check_at": now, "last_run_at": now, "last_response_time_ms": line.typical_ms, "next_run_at": None}
    if line.state == "down":
        since = now - timedelta(minutes=14, seconds=20)
        failure = {"status": "down", "last_verdict": "down", "down_since": since, "last_status_change_at": since}
        counters = {"consecutive_failures": 14, "failure_sequence": 3, "alerts_sent": 3}
        why = {"last_error_code": "UNEXPECTED_STATUS", "last_error_message": _REASON}
        return MonitorState(monitor_id=monitor_id, **checked, **failure, **counters, **why)
    good = {"status": "up", "last_verdict": "up", "last_status_change_at": now - timedelta(days=12, hours=3)}
    if line.state == "error":
        good |= {
            "last_verdict": "error",
            "last_error_code": "BLOCKED_TARGET",
            "last_error_message": "10.0.4.7 is an internal address. An operator may allow it.",
        }
    return MonitorState(monitor_id=monitor_id, **checked, **good)


def _certificate(now: datetime) -> dict[str, Any]:
    until = now + timedelta(days=41)
    return {
        "validFrom": f"{now - timedelta(days=49):%Y-%m-%dT00:00:00Z}",
        "validTo": f"{until:%Y-%m-%dT23:59:59Z}",
        "daysRemaining": 41,
        "issuer": "CN=R11,O=Let's Encrypt,C=US",
        "subject": "CN=www.example.com",
        "fingerprintSha256": hashlib.sha256(b"demo").hexdigest(),
    }


def _outages(
    db: Session,
    down: Monitor,
    recovered: Monitor,
    chat: NotificationProvider,
    mail: NotificationProvider,
    now: datetime,
) -> None:
    since = down.state.down_since or now
    for number in (1, 2, 3):
        at = since + timedelta(minutes=number - 1)
        _alert(db, down, at, _REASON, (chat, mail), alert_number=number, failure_sequence=3)
    began, ended = now - timedelta(hours=5, minutes=6), now - timedelta(hours=5)
    silent = "The server did not answer in 30 s."
    _alert(db, recovered, began, silent, (chat, mail), alert_number=1, failure_sequence=1)
    _alert(db, recovered, ended, "Up again after 6 min.", (chat, mail), event="monitor.up", failure_sequence=1)
    evidence = {"scheduledFor": f"{since:%Y-%m-%dT%H:%M:%SZ}", "locations": [_evidence(since)]}
    weekly = now - timedelta(days=4)
    db.add_all(
        [
            Incident(monitor_id=down.id, failure_sequence=3, started_at=since, error_code="UNEXPECTED_STATUS",
                     reason=_REASON, evidence=evidence),
            Incident(monitor_id=down.id, failure_sequence=2, started_at=weekly, ended_at=weekly + timedelta(minutes=7),
                     error_code="READ_TIMEOUT", reason=silent),
            Incident(monitor_id=recovered.id, failure_sequence=1, started_at=began, ended_at=ended,
                     error_code="READ_TIMEOUT", reason=silent),
        ]
    )  # fmt: skip


def _evidence(at: datetime) -> dict[str, Any]:
    return {
        "location": "",
        "status": "down",
        "checkedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "responseTimeMs": 212.4,
        "errorCode": "UNEXPECTED_STATUS",
        "errorMessage": _REASON,
        "details": _FAILURE,
    }


def _alert(
    db: Session,
    monitor: Monitor,
    at: datetime,
    reason: str,
    providers: Sequence[NotificationProvider],
    *,
    event: str = "monitor.down",
    **values: Any,
) -> None:
    """Add an alert that every provider received, except a broken one."""
    alert = Alert(
        project_id=monitor.project_id,
        monitor_id=monitor.id,
        monitor_name=monitor.name,
        type=event,
        status="failed" if any(provider.broken for provider in providers) else "sent",
        reason=reason,
        created_at=at,
        planned_at=at,
        **values,
    )
    alert.deliveries = [
        Delivery(
            provider_id=provider.id,
            provider_type=provider.type,
            provider_name=provider.name,
            status="failed" if provider.broken else "sent",
            attempts=1,
            error=provider.last_error,
            sent_at=None if provider.broken else at + timedelta(seconds=1),
            created_at=at,
        )
        for provider in providers
    ]
    db.add(alert)
