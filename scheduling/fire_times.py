"""When a monitor runs next. Pure.

Intervals lie on a grid of their own: slots at phase + n x interval since 1970, with the phase from a hash of the id, so
that the load of many monitors is level and a restart changes nothing. Cron slots come from the expression.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from models.rules.cron import slots

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=65_536)
def phase(monitor_id: UUID, interval: timedelta) -> timedelta:
    """Where in its interval a monitor runs: whole milliseconds, the same for ever."""
    number = int.from_bytes(hashlib.blake2b(monitor_id.bytes, digest_size=8).digest())
    return timedelta(milliseconds=number % (interval // timedelta(milliseconds=1)))


def slot_at_or_after(monitor_id: UUID, interval: timedelta, moment: datetime) -> datetime:
    """The first slot of the grid that is not before `moment`."""
    origin = _EPOCH + phase(monitor_id, interval)
    passed = -((origin - moment) // interval)
    slot = origin + passed * interval
    return slot if slot >= moment else slot + interval


def after_interval(monitor_id: UUID, interval: timedelta, ran_at: datetime, now: datetime) -> datetime:
    """The slot after a run scheduled at `ran_at`: at least half an interval later, and in the future.

    After a run on the grid that is the next slot; after an immediate one it is not at once again; after a long sleep the
    missed slots have coalesced into the one run.
    """
    return slot_at_or_after(monitor_id, interval, max(ran_at + interval / 2, now + timedelta(microseconds=1)))


def after_cron(expression: str, timezone: str, ran_at: datetime, now: datetime) -> datetime:
    """The first time of the five-field `expression`, read in `timezone`, after both `ran_at` and `now`; UTC.

    Daylight saving as Debian's cron has it: a time that does not exist runs at once, one that exists twice runs once.
    """
    return next(slots(expression, timezone, max(ran_at, now)))


def scheduled_for(monitor_id: UUID, interval: timedelta | None, next_run_at: datetime, now: datetime) -> datetime:
    """The slot that a claim at `now` runs: `next_run_at`, or, after a sleep, the newest slot that was missed."""
    if interval is None or now - next_run_at < interval:
        return next_run_at
    return slot_at_or_after(monitor_id, interval, now - interval + timedelta(microseconds=1))
