"""Maintenance windows move on to their next occurrence; what could not be told meanwhile is told.

Nothing waits for this: that a window is on follows from the times in its row. Once a monitor is hushed no longer (a window
has ended or was taken away, a mute is over) and owes an alert, it is checked afresh at once, so that nothing is told that
is not true any more. A heartbeat cannot be checked: its alert is made from how it stands.
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
from models.rules.windows import moved_on

log = structlog.get_logger(__name__)

#: A window that ends so soon is looked at again: its next occurrence may follow without a gap.
AHEAD = timedelta(minutes=1)


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=0, time_limit=60_000)
def watch_windows() -> None:
    """Move the windows on, then release whoever is hushed no longer. The sweep sends this while there is maintenance."""
    now = datetime.now(UTC)
    with transaction() as db:
        move_on(db, now)
    release(now)


def move_on(db: Db, now: datetime) -> None:
    """Give every window that is over its next occurrence, and let one last on that runs into its next."""
    for one in queries.turning(db, now, now + AHEAD):
        try:
            coming = moved_on(one.plan, one.present, now)
        except Exception as error:  # noqa: BLE001
            # An expression or a time zone that cannot be read any more (a change by hand, another version): this window
            # ends for good, and stops no other.
            log.warning("a maintenance window cannot be read", window_id=str(one.id), error=type(error).__name__)
            coming = None
        if coming is None or one.present.ends <= now:
            queries.move_on(db, one.id, coming)
        elif coming.ends > one.present.ends:
            queries.extend(db, one.id, coming.ends)


def release(now: datetime) -> None:
    """Check the monitors that owe an alert and may tell it; tell what heartbeats owe."""
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
        unheard = policy.missing_recipient(one)
        step = transition.released(state_of(one), unheard and unheard.reason)
        restate(one, step.state)
        if step.told is not None:
            alerts.append(alert_of(one, one.status, step, _newest(one), [], now, unheard))
    rounds.save(db, standings)
    return alerts


def _newest(standing: Standing) -> Measured | None:
    """The newest decided round, as far as the state has kept it."""
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
