"""Fire times of monitors: when a monitor runs next. Pure.

Monitors with an interval run on their own grid: phase + n x interval since 1970, with the phase derived from a hash of
the id. The load of many monitors is therefore even, and a restart does not move any of them. Monitors with a cron
expression run at its fire times.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from models.rules import cron

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=65_536)
def phase(monitor_id: UUID, interval: timedelta) -> timedelta:
    """Return the offset of a monitor within its interval, in whole milliseconds. It never changes."""
    number = int.from_bytes(hashlib.blake2b(monitor_id.bytes, digest_size=8).digest())
    return timedelta(milliseconds=number % (interval // timedelta(milliseconds=1)))


def at_or_after(monitor_id: UUID, interval: timedelta, moment: datetime) -> datetime:
    """Return the first fire time on the grid that is not before `moment`."""
    origin = _EPOCH + phase(monitor_id, interval)
    intervals = -((origin - moment) // interval)
    fire_time = origin + intervals * interval
    return fire_time if fire_time >= moment else fire_time + interval


def after_interval(monitor_id: UUID, interval: timedelta, ran_at: datetime, now: datetime) -> datetime:
    """Return the fire time after a run scheduled at `ran_at`: at least half an interval later, and after `now`.

    After a run on the grid, that is the next point of the grid. After an immediate run, the half interval prevents a
    second run right away. After a long standstill, the missed fire times are merged into the one run.
    """
    return at_or_after(monitor_id, interval, max(ran_at + interval / 2, now + timedelta(microseconds=1)))


def after_cron(expression: str, timezone: str, ran_at: datetime, now: datetime) -> datetime:
    """Return the first fire time of `expression` in `timezone` after both `ran_at` and `now`, in UTC."""
    return next(cron.fire_times(expression, timezone, max(ran_at, now)))


def scheduled_for(monitor_id: UUID, interval: timedelta | None, next_run_at: datetime, now: datetime) -> datetime:
    """Return the fire time that a claim at `now` runs: `next_run_at`, or the latest one missed during a standstill."""
    if interval is None or now - next_run_at < interval:
        return next_run_at
    return at_or_after(monitor_id, interval, now - interval + timedelta(microseconds=1))
