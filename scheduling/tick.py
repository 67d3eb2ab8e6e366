"""The tick: claims the monitors due within the next second, opens their rounds, reschedules them, dispatches the rounds.

Claiming ahead lets the worker start every check exactly on time, however rarely the tick runs. The dispatch precedes
the commit: after a crash between the two, the round is dispatched again, which is harmless because results are unique.
In the reverse order, the round would be lost.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dramatiq
import psycopg
import structlog

from actors import queues
from actors.broker import broker
from actors.verdicts import ping_intake
from models.connections.database import Db, transaction
from models.queries import locations, schedules, warnings
from models.queries.schedules import DueMonitor, Gap, ScheduleUpdate
from models.rules import heartbeats
from scheduling import fire_times
from scheduling.dispatch import RoundDispatch, dispatch, online

log = structlog.get_logger(__name__)

INTERVAL = timedelta(seconds=1)
#: Slightly more than the interval, so that a late tick leaves no gap.
LOOK_AHEAD = INTERVAL + timedelta(milliseconds=250)
#: The clock skips ticks for at most this long after one that found nothing: not every schedule change sends a nudge.
MAX_REST = timedelta(seconds=2)
#: Monitors per claim, so that a schedule of any size is many short transactions.
CLAIM_LIMIT = 2_000
#: Without any live worker, monitors stay due for this long before their fire time is recorded as a gap.
NO_WORKER_GRACE = timedelta(seconds=30)
#: Added to the timeouts of all tries: how long a round waits for a late location.
LOCATION_SLACK = timedelta(seconds=10)
#: After its deadline, a round is left to the sweep for this long, which decides it from the results that exist. Then
#: the next round may open.
SWEEP_GRACE = timedelta(seconds=5)
#: A fire time missed by more than this (standstill, no worker) runs late, as a round of the time at which it runs.
MAX_BACKFILL = timedelta(minutes=2)
#: A monitor whose schedule cannot be read is tried again after this long.
UNREADABLE_PAUSE = timedelta(minutes=1)
DEFAULT_TIMEOUT_SECONDS = 30
NO_WORKER = Gap("NO_WORKER", "No check worker was available.")
UNREADABLE = Gap("INVALID_CONFIG", "The schedule of this monitor cannot be read. Save the monitor again.")

#: After a database error, heartbeats are not decided for this long: pings may have failed as well.
RECOVERY_SECONDS = 5.0

#: Both on the monotonic clock of this process.
_resting_until = float("-inf")
_recovering_until = float("-inf")


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=0, time_limit=60_000)
def tick() -> None:
    """Claim until nothing more is due. Let the clock rest if nothing will be due for a while."""
    global _recovering_until
    try:
        if _start_rest():
            return
        claimed = CLAIM_LIMIT
        while claimed == CLAIM_LIMIT:
            claimed = claim_and_dispatch(datetime.now(UTC))
    except psycopg.OperationalError:
        _recovering_until = time.monotonic() + RECOVERY_SECONDS
        raise


def _start_rest() -> bool:
    """Set when the next tick is needed. Return whether that is later than now."""
    global _resting_until
    with transaction(pipelined=True) as db:
        next_due = schedules.next_due(db)
    until_due = MAX_REST if next_due is None else next_due - datetime.now(UTC) - LOOK_AHEAD
    _resting_until = time.monotonic() + min(until_due, MAX_REST).total_seconds()
    return until_due > timedelta()


def resting() -> bool:
    """Return whether the clock can skip a tick, because nothing is due yet. A nudge sends a tick in any case."""
    return time.monotonic() < _resting_until


def claim_and_dispatch(now: datetime) -> int:
    """Claim once. Return how many monitors were claimed."""
    live = online.codes()
    with transaction() as db:
        due = _claim(db, now, now + LOOK_AHEAD if live else now - NO_WORKER_GRACE)
        if not due:
            return 0
        enabled = locations.enabled_codes(db)
        plans = [_plan_or_postpone(db, monitor, now, enabled, live) for monitor in due]
        if not live:
            warnings.raise_warning(db, "no_worker", "all locations", "No check worker is running: nothing is checked.")
        schedules.update(db, [update for update, _ in plans])
        dispatches = [dispatched for _, dispatched in plans if dispatched is not None]
        dispatch(dispatches, anywhere=live[0] if live else "")
    if len(dispatches) < len(due):
        log.info("fire times skipped", skipped=len(due) - len(dispatches))
    return len(due)


def _claim(db: Db, now: datetime, until: datetime) -> list[DueMonitor]:
    """Claim what is due; without heartbeats while their pings may not have been recorded."""
    due = schedules.claim_due(db, until, now, CLAIM_LIMIT)
    if not any(monitor.type == "heartbeat" for monitor in due):
        return due
    if time.monotonic() < _recovering_until or ping_intake.hold_missed(db, broker.client, now):
        return schedules.claim_due(db, until, None, CLAIM_LIMIT)
    return due


def _plan_or_postpone(
    db: Db, monitor: DueMonitor, now: datetime, enabled: Sequence[str], live: Sequence[str]
) -> tuple[ScheduleUpdate, RoundDispatch | None]:
    try:
        return plan(monitor, now, enabled, live)
    except Exception as error:  # noqa: BLE001
        # An invalid value in one row (expression, time zone, number) must not stop the schedule of all others.
        log.warning("a schedule cannot be read", monitor_id=str(monitor.monitor_id), error=type(error).__name__)
        warnings.raise_warning(
            db,
            warnings.UNREADABLE_SCHEDULE,
            str(monitor.monitor_id),
            f"Monitor {monitor.monitor_id} is not checked: its schedule cannot be read. Save the monitor again.",
        )
        return ScheduleUpdate(monitor.monitor_id, now + UNREADABLE_PAUSE, None, [], None, UNREADABLE), None


def plan(
    monitor: DueMonitor, now: datetime, enabled: Sequence[str], live: Sequence[str]
) -> tuple[ScheduleUpdate, RoundDispatch | None]:
    """Return the new schedule of a due monitor and its round. Pure.

    There is no round while an earlier one is open, or if no live worker can run it.
    """
    interval = None if monitor.interval_seconds is None else timedelta(seconds=monitor.interval_seconds)
    heartbeat = monitor.type == "heartbeat"
    fire_time = monitor.next_run_at
    if not heartbeat:
        fire_time = fire_times.scheduled_for(monitor.monitor_id, interval, fire_time, now)
    next_run_at = _next_run(monitor, interval, fire_time, now)
    scheduled = fire_time if now - fire_time < MAX_BACKFILL else now
    if monitor.open_deadline is not None and now < monitor.open_deadline + SWEEP_GRACE:
        return ScheduleUpdate(monitor.monitor_id, next_run_at, None, [], None, None), None
    expected = [] if heartbeat else [code for code in _locations(monitor, enabled) if code in live]
    if not (expected or (heartbeat and live)):
        # The next fire time may be a week away. A worker that starts before then must run this one.
        retry_at = min(next_run_at, now + NO_WORKER_GRACE)
        return ScheduleUpdate(monitor.monitor_id, retry_at, None, [], None, NO_WORKER), None
    tries = 1 + int(monitor.retries or 0)
    timeout = timedelta(seconds=float(monitor.timeout or DEFAULT_TIMEOUT_SECONDS))
    deadline = max(scheduled, now) + timeout * tries + LOCATION_SLACK
    update = ScheduleUpdate(monitor.monitor_id, next_run_at, scheduled, expected, deadline, None)
    return update, RoundDispatch(monitor.monitor_id, monitor.version, monitor.type, scheduled, expected)


def _next_run(monitor: DueMonitor, interval: timedelta | None, fire_time: datetime, now: datetime) -> datetime:
    if monitor.type == "heartbeat":
        # An interval includes the grace period, so only a cron schedule reads it.
        minutes = heartbeats.GRACE_MINUTES if monitor.grace is None or interval is not None else float(monitor.grace)
        return heartbeats.deadline_after_miss(
            fire_time,
            now,
            period=interval,
            cron=monitor.cron_expression,
            timezone=monitor.timezone,
            grace=timedelta(minutes=minutes),
        )
    if interval is None:
        assert monitor.cron_expression is not None, "a schedule has an interval or a cron expression"
        return fire_times.after_cron(monitor.cron_expression, monitor.timezone, fire_time, now)
    return fire_times.after_interval(monitor.monitor_id, interval, fire_time, now)


def _locations(monitor: DueMonitor, enabled: Sequence[str]) -> Sequence[str]:
    """Return the locations that check this monitor: the default one, unless its config selects others."""
    config = monitor.locations or {}
    if not config.get("enabled"):
        return enabled[:1]
    selected = config.get("locations") or enabled
    return [code for code in selected if code in enabled]
