"""Advances maintenance windows to their next occurrence and catches up on the alerts that were suppressed.

Nothing else waits for this: whether a window is active follows from the times in its row. When the suppression of a
monitor ends (its window ended or was deleted, its mute is over) and an alert is pending, the monitor is checked at once,
so that no outdated alert is sent. A heartbeat cannot be checked; its alert follows from its current state.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import dramatiq
import structlog

from actors import queues
from actors.alerts import policy
from actors.alerts.alert import alert
from actors.broker import broker, nudge_scheduler
from actors.verdicts import transition
from actors.verdicts.alert_events import alert_of
from models.connections.database import Db, transaction
from models.queries import maintenance_windows as queries
from models.queries import monitor_states, outbox
from models.queries.monitor_states import MonitorSnapshot
from models.queries.outbox import NewAlert
from models.queries.rounds import LocationResult
from models.rules.windows import advance

log = structlog.get_logger(__name__)

#: A window is examined this long before its end: its next occurrence may follow without a gap.
LOOK_AHEAD = timedelta(minutes=1)


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=0, time_limit=60_000)
def maintenance_windows() -> None:
    """Advance the windows, then resume the monitors that are no longer suppressed. The sweep sends this if needed."""
    now = datetime.now(UTC)
    with transaction() as db:
        move_on(db, now)
    release(now)


def move_on(db: Db, now: datetime) -> None:
    """Give every window that has ended its next occurrence. Extend a window that runs into its next occurrence."""
    for window in queries.turning(db, now, now + LOOK_AHEAD):
        try:
            advanced = advance(window.plan, window.present, now)
        except Exception as error:  # noqa: BLE001
            # An expression or a time zone that cannot be read (a manual change, another version) ends this window for
            # good. It must not stop the others.
            log.warning("a maintenance window cannot be read", window_id=str(window.id), error=type(error).__name__)
            advanced = None
        if advanced is None or window.present.ends <= now:
            queries.move_on(db, window.id, advanced)
        elif advanced.ends > window.present.ends:
            queries.extend(db, window.id, advanced.ends)


def release(now: datetime) -> None:
    """Check the monitors with a pending alert that is no longer suppressed. Alert for the heartbeats among them."""
    with transaction() as db:
        found = queries.released(db, now)
        if not found:
            return
        queries.check_now(db, [monitor_id for monitor_id, heartbeat in found if not heartbeat], now)
        alerts = _pending_heartbeat_alerts(db, [monitor_id for monitor_id, heartbeat in found if heartbeat], now)
        outbox.add_alerts(db, alerts)
    if waiting := [str(one.id) for one in alerts if one.suppressed_because is None]:
        alert.send(waiting)
    nudge_scheduler()


def _pending_heartbeat_alerts(db: Db, monitor_ids: Sequence[UUID], now: datetime) -> list[NewAlert]:
    snapshots = monitor_states.lock_snapshots(db, monitor_ids, now, now) if monitor_ids else {}
    states, alerts = {}, []
    for monitor_id, snapshot in snapshots.items():
        no_recipient = policy.missing_recipient(snapshot)
        change = transition.resume_after_suppression(snapshot.state, no_recipient and no_recipient.reason)
        states[monitor_id] = change.state
        if change.alert is not None:
            sentence = no_recipient and no_recipient.sentence
            alerts.append(alert_of(snapshot, change, _latest_result(snapshot), [], now, sentence))
    monitor_states.save(db, states)
    return alerts


def _latest_result(snapshot: MonitorSnapshot) -> LocationResult | None:
    """Return the latest decided result, as far as the state keeps it."""
    state = snapshot.state
    if state.decided_for is None:
        return None
    return LocationResult(
        monitor_id=snapshot.monitor_id,
        scheduled_for=state.decided_for,
        location=None,
        expected_locations=None,
        status=state.status,
        response_time_ms=state.last_response_time_ms,
        error_code=state.last_error_code,
        error_message=state.last_error_message,
        checked_at=state.last_check_at or state.decided_for,
    )
