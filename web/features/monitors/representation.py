"""A monitor as a response of the API, and as the request that would create it."""

from collections.abc import Sequence
from typing import Any

import structlog

import settings
from models.secrets import encryption, fields
from models.tables import Monitor, MonitorType, shown_status
from web.features.monitors import consistency as monitor_consistency
from web.features.monitors.schemas import AlertConfigOut, HeartbeatMonitorOut, MonitorDetailOut, MonitorOut
from web.features.results.schemas import ResultOut
from web.http.auth import Caller
from web.services import stored_secrets

log = structlog.get_logger()
HEARTBEAT_TOKEN = "heartbeatToken"  # noqa: S105 - the name of a field


def secrets_of(monitor: Monitor) -> dict[str, str]:
    """Return the monitor's secrets by path, with the heartbeat token; none if they cannot be decrypted."""
    return stored_secrets.opened_to_change(monitor)


def heartbeat_url(monitor: Monitor, caller: Caller) -> str | None:
    """Return the ping URL of this heartbeat for `caller`, or None for other types and if the token cannot be decrypted."""
    if monitor.type != MonitorType.HEARTBEAT:
        return None
    try:
        token = stored_secrets.opened_to_show(monitor, caller)[HEARTBEAT_TOKEN]
    except (encryption.DecryptionError, KeyError):
        log.error("heartbeat_token_unreadable", monitor_id=str(monitor.id))
        return None
    return f"{settings.get().public_url}/api/heartbeat/{token}"


def as_sent(monitor: Monitor, opened: dict[str, str]) -> dict[str, Any]:
    """Return the body that would create this monitor, with the secrets `opened` in plain text. Changes are merged into it."""
    return {
        "name": monitor.name,
        "description": monitor.description,
        "type": monitor.type,
        "target": monitor.target,
        "frequencyMinutes": minutes(monitor),
        "cronExpression": monitor.cron_expression,
        "timezone": monitor.timezone,
        "enabled": monitor.enabled,
        "config": fields.join(monitor.config, opened),
        "alertConfig": _alert_config(monitor).model_dump(by_alias=True, mode="json"),
        "tags": monitor.tags,
        "mutedUntil": monitor.muted_until.isoformat() if monitor.muted_until else None,
    }


def shown(monitor: Monitor, caller: Caller) -> MonitorOut:
    """Return the monitor as in lists."""
    facts = _facts(monitor)
    url = heartbeat_url(monitor, caller) if caller.can_edit else None
    return HeartbeatMonitorOut(**facts, heartbeat_url=url) if url else MonitorOut(**facts)


def shown_saved(monitor: Monitor, caller: Caller) -> MonitorOut:
    """Return the monitor after a change, with warnings about weak secrets and settings without effect."""
    answer = shown(monitor, caller)
    answer.warnings = stored_secrets.warnings(monitor) + monitor_consistency.warnings(monitor)
    return answer


def shown_in_detail(monitor: Monitor, caller: Caller, recent: Sequence[ResultOut]) -> MonitorDetailOut:
    """Return the monitor with its latest results."""
    url = heartbeat_url(monitor, caller) if caller.can_edit else None
    return MonitorDetailOut(**_facts(monitor), heartbeat_url=url, recent_results=list(recent))


def _facts(monitor: Monitor) -> dict[str, Any]:
    state = monitor.state
    return {
        "id": monitor.id,
        "name": monitor.name,
        "description": monitor.description,
        "type": monitor.type,
        "target": monitor.target,
        "frequency_minutes": minutes(monitor),
        "cron_expression": monitor.cron_expression,
        "timezone": monitor.timezone,
        "enabled": monitor.enabled,
        "status": shown_status(monitor, state),
        "config": monitor.config,
        "alert_config": _alert_config(monitor),
        "tags": monitor.tags,
        "last_check_at": state.last_check_at,
        "last_status_change_at": state.last_status_change_at,
        "next_run_at": state.next_run_at,
        "scheduled_job_id": f"monitor:{monitor.id}" if state.next_run_at else None,
        "muted_until": monitor.muted_until,
        "created_at": monitor.created_at,
        "updated_at": monitor.updated_at,
        "credentials": stored_secrets.shown(monitor),
    }


def minutes(monitor: Monitor) -> int | float | None:
    """Return `frequencyMinutes`, or None if the monitor has a cron expression."""
    if monitor.interval_seconds is None:
        return None
    whole, rest = divmod(monitor.interval_seconds, 60)
    return monitor.interval_seconds / 60 if rest else whole


def _alert_config(monitor: Monitor) -> AlertConfigOut:
    return AlertConfigOut(
        enabled=monitor.alerts_enabled,
        alert_on_failure=monitor.alert_on_failure,
        alert_on_recovery=monitor.alert_on_recovery,
        alert_on_ssl_expiration=monitor.alert_on_ssl_expiration,
        failure_threshold=monitor.failure_threshold,
        recovery_threshold=monitor.recovery_threshold,
        custom_message=monitor.custom_message,
        notification_providers=[setting.provider_id for setting in monitor.providers],
    )
