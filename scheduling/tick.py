"""The tick: claims what is due within the next second, opens its rounds, moves it on, dispatches it.

Looking ahead lets every check start at its very time on the worker, however seldom the tick comes.
The dispatch stands before the commit: a crash between the two repeats the dispatch, which is harmless (results are
unique), where the other order would lose the round.
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
from models.queries.schedules import Due, Gap, Move
from models.rules import heartbeats
from scheduling import due
from scheduling.dispatch import Order, dispatch, online

log = structlog.get_logger(__name__)

INTERVAL = timedelta(seconds=1)
#: A little more than the interval, so that a tick that comes late still finds its seconds covered.
LOOK_AHEAD = INTERVAL + timedelta(milliseconds=250)
#: A tick that found nothing may be followed by so long a rest: somebody may write a schedule without a nudge.
REST = timedelta(seconds=2)
#: Claimed at once, so that a schedule of any size is many short transactions.
LIMIT = 2_000
#: Without any live worker, monitors stay due for so long before the slot is recorded as a gap of ours.
PATIENCE = timedelta(seconds=30)
#: On top of every try's timeout: what a location may be late before it is not waited for.
SLACK = timedelta(seconds=10)
#: A round past its deadline is the sweep's to decide, from the answers that there are; only then may the next one open.
SETTLING = timedelta(seconds=5)
#: A slot missed for longer (a sleep, no worker) is made up for under the time at which it really runs.
BELIEVED = timedelta(minutes=2)
#: When a monitor whose schedule cannot be read is looked at again, in case it was mended by hand.
POSTPONED = timedelta(minutes=1)
TIMEOUT_SECONDS = 30
NO_WORKER = Gap("NO_WORKER", "No check worker was there to look.")
UNREADABLE = Gap("INVALID_CONFIG", "The schedule of this monitor cannot be read; save the monitor again.")

#: A database that has just come back may not have been reachable for pings either: misses wait for so long.
SHAKEN_SECONDS = 5.0

#: Both on the monotonic clock of this process.
_resting_until = float("-inf")
_shaken_until = float("-inf")


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=0, time_limit=60_000)
def tick() -> None:
    """Claim until nothing more is due; rest where nothing will be for a while."""
    global _shaken_until
    try:
        if _rest_is_due():
            return
        claimed = LIMIT
        while claimed == LIMIT:
            claimed = claim_and_dispatch(datetime.now(UTC))
    except psycopg.OperationalError:
        _shaken_until = time.monotonic() + SHAKEN_SECONDS
        raise


def _rest_is_due() -> bool:
    """Whether nothing is due for a while; then the clock sends no tick until then."""
    global _resting_until
    with transaction(pipelined=True) as db:
        following = schedules.next_due(db)
    until_due = REST if following is None else following - datetime.now(UTC) - LOOK_AHEAD
    _resting_until = time.monotonic() + min(until_due, REST).total_seconds()
    return until_due > timedelta()


def resting() -> bool:
    """Whether the last tick here saw that another one would find nothing yet. A nudge is a tick of its own."""
    return time.monotonic() < _resting_until


def claim_and_dispatch(now: datetime) -> int:
    """One claim; answers how many monitors it moved."""
    live = online.codes()
    with transaction() as db:
        waiting = _due(db, now, now + LOOK_AHEAD if live else now - PATIENCE)
        if not waiting:
            return 0
        enabled = locations.enabled_codes(db)
        plans = [_plan_or_postpone(db, one, now, enabled, live) for one in waiting]
        if not live:
            warnings.raise_warning(db, "no_worker", "all locations", "No check worker is running: nothing is checked.")
        schedules.move(db, [move for move, _ in plans])
        orders = [order for _, order in plans if order is not None]
        dispatch(orders, anywhere=live[0] if live else "")
    if len(orders) < len(waiting):
        log.info("slots skipped", skipped=len(waiting) - len(orders))
    return len(waiting)


def _due(db: Db, now: datetime, until: datetime) -> list[Due]:
    """What is due, without heartbeats while it is not certain that their pings could have been recorded."""
    waiting = schedules.due(db, until, now, LIMIT)
    if not any(one.type == "heartbeat" for one in waiting):
        return waiting
    if time.monotonic() < _shaken_until or ping_intake.hold_missed(db, broker.client, now):
        return schedules.due(db, until, None, LIMIT)
    return waiting


def _plan_or_postpone(
    db: Db, one: Due, now: datetime, enabled: Sequence[str], live: Sequence[str]
) -> tuple[Move, Order | None]:
    try:
        return plan(one, now, enabled, live)
    except Exception as error:  # noqa: BLE001
        # Whatever is wrong with one row (an expression, a time zone, a number put there by hand): it must stop no other.
        log.warning("a schedule cannot be read", monitor_id=str(one.monitor_id), error=type(error).__name__)
        warnings.raise_warning(
            db,
            warnings.UNREADABLE_SCHEDULE,
            str(one.monitor_id),
            f"Monitor {one.monitor_id} is not checked: its schedule cannot be read. Save the monitor again.",
        )
        return Move(one.monitor_id, now + POSTPONED, None, [], None, UNREADABLE), None


def plan(one: Due, now: datetime, enabled: Sequence[str], live: Sequence[str]) -> tuple[Move, Order | None]:
    """Where a due monitor goes, and the round that it gets; none while an earlier one is open, or with nobody to run it. Pure."""
    interval = None if one.interval_seconds is None else timedelta(seconds=one.interval_seconds)
    heartbeat = one.type == "heartbeat"
    slot = one.next_run_at if heartbeat else due.scheduled_for(one.monitor_id, interval, one.next_run_at, now)
    following = _following(one, interval, slot, now)
    scheduled = slot if now - slot < BELIEVED else now
    if one.open_deadline is not None and now < one.open_deadline + SETTLING:
        return Move(one.monitor_id, following, None, [], None, None), None
    asked = [] if heartbeat else [code for code in _asked(one, enabled) if code in live]
    if not (asked or (heartbeat and live)):
        # The next slot may be a week away: whoever comes back before it makes up for this one.
        return Move(one.monitor_id, min(following, now + PATIENCE), None, [], None, NO_WORKER), None
    tries = 1 + int(one.retries or 0)
    deadline = max(scheduled, now) + timedelta(seconds=float(one.timeout or TIMEOUT_SECONDS) * tries) + SLACK
    move = Move(one.monitor_id, following, scheduled, asked, deadline, None)
    return move, Order(one.monitor_id, one.version, one.type, scheduled, asked)


def _following(one: Due, interval: timedelta | None, scheduled: datetime, now: datetime) -> datetime:
    if interval is None:
        assert one.cron_expression is not None, "the schedule constraint: interval or cron"
        # A heartbeat is due the grace period after its slot.
        grace = timedelta()
        if one.type == "heartbeat":
            grace = timedelta(minutes=heartbeats.GRACE_MINUTES if one.grace is None else float(one.grace))
        return due.after_cron(one.cron_expression, one.timezone, scheduled - grace, now - grace) + grace
    if one.type == "heartbeat":
        # Its deadline follows the pings, not a grid; after a miss the next one is a period later.
        missed = (now - scheduled) // interval
        return scheduled + interval * (max(0, missed) + 1)
    return due.after_interval(one.monitor_id, interval, scheduled, now)


def _asked(one: Due, enabled: Sequence[str]) -> Sequence[str]:
    """The locations that a round of this monitor asks: the default one, unless its config names others."""
    config = one.locations or {}
    if not config.get("enabled"):
        return enabled[:1]
    named = config.get("locations") or enabled
    return [code for code in named if code in enabled]
