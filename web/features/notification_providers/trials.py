"""Test messages: through a provider that is saved, or through one that is only typed so far."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update

import settings
from models.secrets import encryption, fields
from models.tables import NotificationProvider, Project
from web.features.notification_providers import service as providers
from web.features.notification_providers.schemas import TestOut
from web.http.auth import Caller
from web.http.errors import invalid
from web.http.extensions import db
from web.services import audit_events, test_message_limit


def try_out(who: Caller, provider_id: UUID) -> TestOut:
    """Send a real test message through the channel and remember how it went. Raises a 404 or 429 `Problem`."""
    provider = providers.find(who, provider_id)
    public, sealed, table = provider.config, provider.secrets, provider.__tablename__

    def opened() -> dict[str, Any]:
        return fields.join(public, encryption.decrypt(sealed, table, provider_id))

    outcome, permanent = _send(who, provider.type, opened)
    now = datetime.now(UTC)
    values: dict[str, Any] = {"last_success_at": now, "broken": False}
    if outcome.error is not None:
        values = {
            "last_error_at": now,
            "last_error": outcome.error,
            "broken": NotificationProvider.broken | permanent,
        }
    # The config did not change: its time stays.
    values["updated_at"] = NotificationProvider.updated_at
    db.session.execute(
        update(NotificationProvider)
        .where(NotificationProvider.id == provider_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    audit_events.record(who, "provider.tested", "provider", provider_id, success=outcome.success)
    return outcome


def try_unsaved(who: Caller, data: Mapping[str, Any], provider_id: UUID | None = None) -> TestOut:
    """Send a real test message through the provider that `data` describes; only the audit trail remembers it.

    With `provider_id`, `data` is a change to that provider: its masked secrets stand for the stored ones while they go to
    the same place. Raises a 404, 422 or 429 `Problem`.
    """
    kind, config = providers.judged(who, data, provider_id)
    outcome, _ = _send(who, kind, lambda: config)
    audit_events.record(
        who, "provider.tested", "provider", provider_id, success=outcome.success, saved=False, type=kind
    )
    return outcome


def id_in(data: Mapping[str, Any]) -> UUID | None:
    """Return the `id` of the provider that `data` changes; None if there is none. Raise a 422 `Problem` if it is no id."""
    try:
        return UUID(str(data["id"])) if data.get("id") is not None else None
    except ValueError:
        raise invalid({"id": "Not an id of a provider."}) from None


def _send(who: Caller, kind: str, opened: Callable[[], Mapping[str, Any]]) -> tuple[TestOut, bool]:
    """(how it went, whether the service refused for good). `opened` gives the config with its secrets in the clear."""
    from actors.runtime import telemetry
    from models.secrets.encryption import DecryptionError
    from notifications import SENDERS
    from notifications.notice import NotificationError

    notice, send = _test_notice(db.session.get_one(Project, who.project_id).name), SENDERS[kind]
    project_id = who.project_id
    # The connection goes back before the call goes out: a slow service must not hold one.
    db.session.rollback()
    error, permanent = None, False
    began = time.monotonic()
    try:
        config = opened()
        telemetry.CREDENTIAL_USES.labels("test").inc()
        with test_message_limit.reserve(project_id):
            send(notice, config)
    except NotificationError as failure:
        error, permanent = str(failure), failure.permanent
    except DecryptionError:
        error, permanent = "The stored credentials cannot be decrypted. Enter them again.", True
    duration_ms = round((time.monotonic() - began) * 1000)
    return TestOut(success=error is None, error=error, duration_ms=duration_ms), permanent


def _test_notice(project: str) -> Any:
    from notifications.notice import Notice, NoticeMonitor

    return Notice(
        event="test",
        alert_id=None,
        delivery_id=uuid4(),
        sent_at=datetime.now(UTC),
        monitor=NoticeMonitor(
            UUID(int=0), "Test message", "", "", f"{settings.get().public_url}/notification-providers"
        ),
        status="test",
        previous_status=None,
        reason="",
        error_code=None,
        response_time_ms=None,
        checked_at=None,
        consecutive_failure_count=0,
        alert_number=None,
        locations=(),
        down_since=None,
        down_for_seconds=None,
        custom_message="",
        project=project,
    )
