"""One factory a table: each makes a valid row, commits it and returns it. They need an application context.

What a test cares about it passes; everything else has a value that nothing depends on.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import delete, insert

from models.secrets import encryption
from models.tables import (
    Alert,
    ApiKey,
    Base,
    Delivery,
    Incident,
    Location,
    MaintenanceWindow,
    Member,
    Monitor,
    MonitorNotificationSetting,
    MonitorResult,
    MonitorState,
    NotificationProvider,
    Organization,
    Project,
    Role,
    User,
    UserSession,
)
from web.http.extensions import db

Row = TypeVar("Row", bound=Base)
PASSWORD = "correct horse battery staple"
#: Cheap on purpose: tests sign in often, and what argon2 costs is not what they are about.
_CHEAP_HASH_OPTIONS = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}


def _saved(row: Row) -> Row:
    db.session.add(row)
    db.session.commit()
    return row


def an_organization(name: str = "Example Ltd") -> Organization:
    return _saved(Organization(name=name))


def a_project(organization: Organization | None = None, name: str = "Website") -> Project:
    organization = organization or an_organization()
    return _saved(Project(organization_id=organization.id, name=name))


def a_user(
    project: Project | None = None,
    role: Role = Role.PROJECT_EDITOR,
    email: str | None = None,
    password: str = PASSWORD,
    **values: Any,
) -> User:
    """A person with `role` in `project`, or in its whole organisation where the role is one of those."""
    from argon2 import PasswordHasher

    project = project or a_project()
    hashed = PasswordHasher(**_CHEAP_HASH_OPTIONS).hash(password)  # type: ignore[arg-type]
    user = _saved(User(email=email or f"{uuid4().hex[:12]}@example.test", name="Alex", password_hash=hashed, **values))
    a_membership(user, project, role)
    return user


def a_membership(user: User, project: Project, role: Role) -> Member:
    whole = role in {Role.SUPER_ADMIN, Role.ORG_OWNER, Role.ORG_ADMIN}
    return _saved(
        Member(
            user_id=user.id,
            organization_id=project.organization_id,
            project_id=None if whole else project.id,
            role=role.value,
        )
    )


def a_session(user: User, **values: Any) -> str:
    """The token of a browser in which `user` is signed in: what its cookie holds as `_user_id`."""
    token = secrets.token_urlsafe(32)
    _saved(UserSession(user_id=user.id, token_hash=hashlib.sha256(token.encode()).digest(), **values))
    return token


def no_membership(user: User) -> None:
    """Take every role from `user`."""
    db.session.execute(delete(Member).where(Member.user_id == user.id))
    db.session.commit()


def an_api_key(project: Project | None = None, role: Role = Role.PROJECT_EDITOR, **values: Any) -> str:
    """The key's text, as a program sends it."""
    project = project or a_project()
    key = "sck_" + secrets.token_urlsafe(32)
    _saved(
        ApiKey(
            project_id=project.id,
            name="A program",
            prefix=key[:8],
            key_hash=hashlib.sha256(key.encode()).digest(),
            role=role.value,
            **values,
        )
    )
    return key


def a_location(code: str = "us-east", name: str = "Ashburn", **values: Any) -> Location:
    """The location `code`; the one that is there already where there is one."""
    return db.session.get(Location, code) or _saved(Location(code=code, name=name, **values))


def a_provider(
    project: Project,
    type: str = "webhook",
    config: dict[str, Any] | None = None,
    secret: dict[str, str] | None = None,
    **values: Any,
) -> NotificationProvider:
    """A channel; `secret` maps paths of the config to what stands there in the clear."""
    provider_id = uuid4()
    return _saved(
        NotificationProvider(
            id=provider_id,
            project_id=project.id,
            name=values.pop("name", "On call"),
            type=type,
            config=config if config is not None else {"url": "http://127.0.0.1:9/", "method": "POST", "headers": {}},
            secrets=encryption.encrypt(secret or {}, "notification_providers", provider_id),
            **values,
        )
    )


_CONFIGS: dict[str, dict[str, Any]] = {
    "http_request": {
        "method": "GET",
        "headers": {},
        "expectedStatusCodes": "200-299",
        "keywordInBodyShouldBePresent": True,
        "auth": {"type": "none"},
        "enableSslCheck": False,
        "sslDaysUntilExpirationWarning": 30,
        "followRedirects": True,
        "maxRedirects": 5,
        "verifyTls": True,
        "ipVersion": "auto",
    },
    "website": {"expectedStatusCodes": "200-299", "followRedirects": True, "maxRedirects": 5, "verifyTls": True},
    "ping_host": {"packetCount": 3, "packetSize": 56, "maxPacketLossPercent": 99, "ipVersion": "auto"},
    "port_check": {"port": 9, "protocol": "tcp", "ipVersion": "auto"},
    "heartbeat": {"expectedIntervalMinutes": 60, "gracePeriodMinutes": 10, "timezone": "UTC", "requireApiKey": False},
    "synthetic_test": {"playwrightOptions": {"headless": True, "timeout": 120000, "retries": 0}},
}
_ALL = {
    "timeoutSeconds": 30,
    "retries": 0,
    "locationConfig": {"enabled": False, "locations": [], "threshold": 50, "strategy": "majority"},
}


def a_monitor(
    project: Project | None = None,
    type: str = "http_request",
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
    providers: tuple[NotificationProvider, ...] = (),
    token: str | None = None,
    **values: Any,
) -> Monitor:
    """A monitor with its state row, due in an hour; `config` and `state` override single values.

    `token` is a heartbeat's; one is made up where none is given.
    """
    project = project or a_project()
    row_id: UUID = values.pop("id", None) or uuid4()
    heartbeat = type == "heartbeat"
    token = (token or secrets.token_urlsafe(32)) if heartbeat else None
    defaults: dict[str, Any] = {
        "name": "A monitor",
        "target": "" if heartbeat else "http://127.0.0.1:9/" if type in {"http_request", "website"} else "127.0.0.1",
        "interval_seconds": None if values.get("cron_expression") else 4200 if heartbeat else 60,
    }
    common = {key: value for key, value in _ALL.items() if not (heartbeat and key == "locationConfig")}
    monitor = Monitor(
        id=row_id,
        project_id=project.id,
        type=type,
        config={**common, **_CONFIGS[type], **(config or {})},
        secrets=encryption.encrypt({"heartbeatToken": token}, "monitors", row_id) if token else None,
        heartbeat_token_hash=hashlib.sha256(token.encode()).digest() if token else None,
        **{**defaults, **values},
    )
    next_run_at = datetime.now(UTC) + timedelta(hours=1) if monitor.enabled is not False else None
    monitor.state = MonitorState(monitor_id=row_id, **{"next_run_at": next_run_at, **(state or {})})
    monitor.providers = [MonitorNotificationSetting(provider_id=provider.id) for provider in providers]
    return _saved(monitor)


def a_result(monitor: Monitor, **values: Any) -> MonitorResult:
    """One result; by default up, from the first location, measured just now."""
    now = datetime.now(UTC)
    defaults: dict[str, Any] = {
        "id": uuid4(),
        "monitor_id": monitor.id,
        "scheduled_for": values.get("checked_at", now),
        "checked_at": now,
        "location": "us-east",
        "status": "up",
        "response_time_ms": 12.5,
        "details": {},
    }
    return _saved(MonitorResult(**{**defaults, **values}))


def an_alert(monitor: Monitor, provider: NotificationProvider | None = None, **values: Any) -> Alert:
    """A failure alert, sent to `provider` where one is given."""
    defaults: dict[str, Any] = {
        "project_id": monitor.project_id,
        "monitor_id": monitor.id,
        "monitor_name": monitor.name,
        "type": "monitor.down",
        "failure_sequence": 1,
        "alert_number": 1,
        "status": "sent",
        "reason": "The connection was refused.",
    }
    alert = Alert(**{**defaults, **values})
    if provider is not None:
        alert.deliveries = [
            Delivery(
                provider_id=provider.id,
                provider_type=provider.type,
                provider_name=provider.name,
                status=alert.status if alert.status != "suppressed" else "failed",
                attempts=1,
            )
        ]
    return _saved(alert)


def an_incident(monitor: Monitor, **values: Any) -> Incident:
    """An outage that began a minute ago and goes on."""
    defaults: dict[str, Any] = {
        "monitor_id": monitor.id,
        "failure_sequence": 1,
        "started_at": datetime.now(UTC) - timedelta(minutes=1),
        "error_code": "UNEXPECTED_STATUS",
        "reason": "The server answered 503.",
    }
    return _saved(Incident(**{**defaults, **values}))


def an_evidence(details: dict[str, Any], **values: Any) -> dict[str, Any]:
    """What an incident keeps of its first failed round: one location with these `details`."""
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    found = {
        "location": "us-east",
        "status": "down",
        "checkedAt": at,
        "responseTimeMs": 41.5,
        "errorCode": "UNEXPECTED_STATUS",
        "errorMessage": "The server answered 503.",
        "details": details,
    }
    return {"scheduledFor": at, "locations": [{**found, **values}]}


def many_monitors(project: Project, count: int) -> list[UUID]:
    """That many monitors without a state, made at once; their ids."""
    ids = [uuid4() for _ in range(count)]
    db.session.execute(
        insert(Monitor),
        [
            {
                "id": one,
                "project_id": project.id,
                "name": f"Monitor {number}",
                "type": "http_request",
                "target": "",
                "config": {},
                "interval_seconds": 60,
            }
            for number, one in enumerate(ids)
        ],
    )
    db.session.commit()
    return ids


def changed(row: Row, **values: Any) -> Row:
    """`row` with these values, saved."""
    for name, value in values.items():
        setattr(row, name, value)
    return _saved(row)


def a_window(
    project: Project,
    begins: datetime | None = None,
    ends: datetime | None = None,
    monitors: Iterable[UUID] | None = None,
    **values: Any,
) -> MaintenanceWindow:
    """A maintenance window of the whole project, or of `monitors`, once; on for an hour already, and for another, unless
    times are given.
    """
    now = datetime.now(UTC)
    begins, ends = begins or now - timedelta(hours=1), ends or now + timedelta(hours=1)
    standard: dict[str, Any] = {
        "name": "Release",
        "starts_at": begins,
        "duration_seconds": round((ends - begins).total_seconds()),
        "occurs_from": begins,
        "occurs_until": ends,
    }
    return _saved(MaintenanceWindow(project_id=project.id, monitor_ids=monitors, **{**standard, **values}))
