"""Creating, changing and deleting monitors, and running a check now."""

import hashlib
import secrets as random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.attributes import flag_modified

from models.rules import heartbeats, round_ids
from models.secrets import fields as secrets
from models.tables import Monitor, MonitorNotificationSetting, MonitorState, MonitorType
from web.api.schema import refuse_unfit
from web.features.maintenance_windows import scope as window_scope
from web.features.monitors.config_schemas import RECORDS
from web.features.monitors.representation import HEARTBEAT_TOKEN, as_sent, secrets_of
from web.features.monitors.schemas import ALIASES
from web.features.monitors.validation import ValidMonitor, tidy, validate_monitor
from web.http import transaction
from web.http.auth import Caller
from web.http.errors import Problem, invalid, not_found
from web.http.extensions import db
from web.http.merge_patch import is_same, merge, without_nulls
from web.services import audit_events, differences, stored_secrets

#: `config` and `alertConfig` are merged by key.
_MERGED = frozenset({"alertConfig"})


def find(caller: Caller, monitor_id: UUID, *, lock: bool = False) -> Monitor:
    """Return the project's monitor with its state. Raise a 404 `Problem` if there is none.

    With `lock`, other changes of the monitor wait for this transaction. The check pipeline does not wait.
    """
    query = select(Monitor).where(Monitor.id == monitor_id, Monitor.project_id == caller.project_id)
    if lock:
        query = query.with_for_update(of=Monitor, key_share=True).execution_options(populate_existing=True)
    monitor = db.session.scalar(query.options(joinedload(Monitor.state, innerjoin=True)))
    if monitor is None:
        raise not_found("monitor")
    return monitor


def create(caller: Caller, data: Mapping[str, Any]) -> Monitor:
    """Create a monitor from `data`, the body of a request. Raise a 422 `Problem` if a field is wrong."""
    refuse_unfit(data)
    wanted = validate_monitor(caller, tidy(data), {}, {})
    monitor = Monitor(id=uuid4(), project_id=caller.project_id, type=wanted.fields.type, created_by=caller.user_id)
    kept = {}
    if monitor.type == MonitorType.HEARTBEAT:
        token = random.token_urlsafe(32)
        kept[HEARTBEAT_TOKEN] = token
        monitor.heartbeat_token_hash = hashlib.sha256(token.encode()).digest()
    stored = _write(monitor, wanted, kept, {})
    monitor.state = MonitorState(monitor_id=monitor.id)
    if monitor.enabled:
        monitor.state.next_run_at = _first_run(monitor)
        transaction.nudge_scheduler()
    db.session.add(monitor)
    audit_events.record(
        caller, "monitor.created", "monitor", monitor.id, name=monitor.name, type=monitor.type, secrets=stored
    )
    db.session.flush()
    return monitor


def change(caller: Caller, monitor_id: UUID, data: Mapping[str, Any]) -> Monitor:
    """Merge `data` into the monitor. Raise a 404 `Problem` if there is none, a 422 if a field is wrong."""
    refuse_unfit(data)
    monitor = find(caller, monitor_id, lock=True)
    given = data.get("type")
    if given is not None and ALIASES.get(str(given), given) != monitor.type:
        raise invalid({"type": "The type of a monitor cannot change. Create a new monitor."})
    opened = secrets_of(monitor)
    before = as_sent(monitor, opened)
    changes = _schedule_changes(tidy({**data, "type": monitor.type}))
    after = merge(before, changes, _MERGED)
    if isinstance(changes.get("config"), dict):
        after["config"] = merge(before["config"], changes["config"], RECORDS)
    if is_same(without_nulls(before), after):
        return monitor
    wanted = validate_monitor(caller, after, before, opened, changes.get("config"))
    was_enabled, former_schedule, was_public = monitor.enabled, _schedule_of(monitor), as_sent(monitor, {})
    kept = {HEARTBEAT_TOKEN: opened[HEARTBEAT_TOKEN]} if HEARTBEAT_TOKEN in opened else {}
    stored = _write(monitor, wanted, kept, opened)
    _reschedule(monitor, was_enabled, former_schedule)
    changed = differences.between(was_public, as_sent(monitor, {}), set(stored))
    audit_events.record(
        caller, "monitor.changed", "monitor", monitor.id, name=monitor.name, changes=changed, secrets=stored
    )
    return _flushed(monitor)


def switch(caller: Caller, monitor_id: UUID, *, enabled: bool) -> Monitor:
    """Pause or resume the monitor."""
    return change(caller, monitor_id, {"enabled": enabled})


def delete(caller: Caller, monitor_id: UUID) -> None:
    """Delete the monitor with its state and incidents. Upkeep deletes its results. Raise a 404 `Problem` if there is none.

    Remove it from maintenance windows. A window that loses its last monitor is disabled.
    """
    monitor = find(caller, monitor_id, lock=True)
    window_scope.forget(caller, monitor_id)
    audit_events.record(caller, "monitor.deleted", "monitor", monitor.id, name=monitor.name, type=monitor.type)
    db.session.delete(monitor)
    db.session.flush()


def run_now(caller: Caller, monitor_id: UUID) -> UUID:
    """Make a round due at once. Return its id, or that of the round that is already due or running.

    Raise a 404 `Problem` if there is no such monitor, a 409 if it is paused or a heartbeat.
    """
    monitor = find(caller, monitor_id)
    if monitor.type == MonitorType.HEARTBEAT:
        raise Problem(409, "A heartbeat cannot be checked: its job sends the pings.")
    if not monitor.enabled:
        raise _paused()
    scheduled_for: datetime | None = db.session.execute(
        update(MonitorState)
        .where(MonitorState.monitor_id == monitor.id, MonitorState.next_run_at.is_not(None))
        .values(
            next_run_at=case(
                (MonitorState.open_scheduled_for.is_(None), func.least(MonitorState.next_run_at, func.now())),
                else_=MonitorState.next_run_at,
            )
        )
        .returning(func.coalesce(MonitorState.open_scheduled_for, MonitorState.next_run_at))
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if scheduled_for is None:
        # Another request has paused the monitor.
        raise _paused()
    audit_events.record(caller, "monitor.run", "monitor", monitor.id)
    transaction.nudge_scheduler()
    return round_ids.round_id(monitor.id, scheduled_for)


def _paused() -> Problem:
    return Problem(409, "This monitor is paused.", guidance="Resume it first.")


# --- writing ---------------------------------------------------------------------------------


def _write(monitor: Monitor, wanted: ValidMonitor, kept: Mapping[str, str], opened: Mapping[str, str]) -> list[str]:
    """Write `wanted` into the row. Return the paths of the secrets that changed.

    `kept` are the secrets that are not in the config, `opened` those that the row held.
    """
    fields, plan = wanted.fields, wanted.schedule
    public, found = secrets.split("monitor", wanted.config)
    monitor.name, monitor.description, monitor.target = fields.name, fields.description, fields.target
    monitor.interval_seconds, monitor.cron_expression = plan.interval_seconds, plan.cron_expression
    monitor.timezone = plan.timezone
    monitor.enabled, monitor.tags, monitor.muted_until = fields.enabled, fields.tags, fields.muted_until
    monitor.config = public
    # SQLAlchemy compares with ==, so a change from 1 to true would not be written.
    flag_modified(monitor, "config")
    stored = stored_secrets.store(monitor, {**found, **kept}, opened)
    alerts = fields.alert_config
    monitor.alerts_enabled = alerts.enabled
    monitor.alert_on_failure = alerts.alert_on_failure
    monitor.alert_on_recovery = alerts.alert_on_recovery
    monitor.alert_on_ssl_expiration = alerts.alert_on_ssl_expiration
    monitor.failure_threshold = alerts.failure_threshold
    monitor.recovery_threshold = alerts.recovery_threshold
    monitor.custom_message = alerts.custom_message
    present = {setting.provider_id: setting for setting in monitor.providers}
    monitor.providers = [
        present.get(provider_id) or MonitorNotificationSetting(provider_id=provider_id)
        for provider_id in dict.fromkeys(alerts.notification_providers)
    ]
    if monitor.version is not None:  # a new row takes the column's default
        monitor.version = Monitor.version + 1
    return stored


def _flushed(monitor: Monitor) -> Monitor:
    db.session.flush()
    db.session.refresh(monitor)
    return monitor


def _schedule_changes(changes: dict[str, Any]) -> dict[str, Any]:
    """Return `changes`; a new interval without a cron expression removes the stored expression."""
    if changes.get("frequencyMinutes") is not None and "cronExpression" not in changes:
        return {**changes, "cronExpression": None}
    return changes


def _schedule_of(monitor: Monitor) -> tuple[object, ...]:
    grace = monitor.config.get("gracePeriodMinutes")
    return monitor.interval_seconds, monitor.cron_expression, monitor.timezone, grace


def _first_run(monitor: Monitor) -> Any:
    """Return when a new or resumed monitor is due: now, or for a heartbeat when its first ping is overdue."""
    if monitor.type == MonitorType.HEARTBEAT:
        return heartbeats.deadline(monitor.config, datetime.now(UTC))
    return func.now()


def _reschedule(monitor: Monitor, was_enabled: bool, former_schedule: tuple[object, ...]) -> None:
    """Update the state after a change of the schedule. Columns that the pipeline owns are not written."""
    values: dict[str, Any]
    if not monitor.enabled:
        values = {"next_run_at": None, "open_scheduled_for": None, "open_expected": None, "open_deadline": None}
    elif was_enabled and former_schedule == _schedule_of(monitor):
        return
    else:
        values = {"next_run_at": _first_run(monitor)}
        transaction.nudge_scheduler()
    db.session.execute(
        update(MonitorState)
        .where(MonitorState.monitor_id == monitor.id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
