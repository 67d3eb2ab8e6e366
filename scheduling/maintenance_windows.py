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
from actors.verdicts.aggregate import restate, state_of
from actors.verdicts.alert_events import alert_of
from models.connections.database import Db, transaction
from models.queries import maintenance_windows as queries
from models.queries import outbox, rounds
from models.queries.outbox import NewAlert
from models.queries.rounds import Measured, Standing
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
        alerts = _released_heartbeats(db, [monitor_id for monitor_id, heartbeat in found if heartbeat], now)
        outbox.add_alerts(db, alerts)
    if waiting := [str(one.id) for one in alerts if one.suppressed_because is None]:
        alert.send(waiting)
    nudge_scheduler()


def _released_heartbeats(db: Db, monitor_ids: Sequence[UUID], now: datetime) -> list[NewAlert]:
    standings = list(rounds.lock_standings(db, monitor_ids, now, now).values()) if monitor_ids else []
    alerts = []
    for one in standings:
        unheard = policy.unheard(one)
        step = transition.released(state_of(one), unheard and unheard.reason)
        restate(one, step.state)
        if step.told is not None:
            alerts.append(alert_of(one, one.status, step, _newest(one), [], now, unheard))
    rounds.save(db, standings)
    return alerts


def _newest(standing: Standing) -> Measured | None:
    """Return the latest decided round, as far as the state holds it."""
    if standing.decided_for is None:
        return None
    return Measured(
        monitor_id=standing.monitor_id,
        scheduled_for=standing.decided_for,
        location=None,
        expected_locations=None,
        status=standing.status,
        response_time_ms=standing.last_response_time_ms,
        error_code=standing.last_error_code,
        error_message=standing.last_error_message,
        checked_at=standing.last_check_at or standing.decided_for,
    )
