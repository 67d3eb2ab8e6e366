"""Occurrences of maintenance windows, computed from their schedules. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from models.rules.cron import fire_times

#: At most this many overlapping recurrences are joined into one occurrence; the scheduler extends it later if need be.
MAX_JOINED = 500
_WEEK = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Plan:
    """The schedule of a window: once at `starts_at`, or at the fire times of the expression `cron` in `timezone`.

    `duration` is elapsed time: two hours stay two hours in the night of a daylight saving change.
    """

    starts_at: datetime | None
    cron: str | None
    timezone: str
    duration: timedelta


class Occurrence(NamedTuple):
    """One period of maintenance, in UTC. `starts` is included, `ends` is not."""

    starts: datetime
    ends: datetime


def occurrence(plan: Plan, now: datetime) -> Occurrence | None:
    """Return the occurrence that covers `now`, else the next one; None if there are no more.

    Recurrences that overlap or touch are one occurrence. Raise cronsim's `CronSimError` if the expression is invalid,
    and zoneinfo's errors if the time zone is unknown.
    """
    if plan.cron is None:
        assert plan.starts_at is not None, "a window has a start or a cron expression"
        ends = plan.starts_at + plan.duration
        return Occurrence(plan.starts_at, ends) if ends > now else None
    return _recurring(plan, plan.cron, now - plan.duration)


def advance(plan: Plan, stored: Occurrence, now: datetime) -> Occurrence | None:
    """Return the occurrence that replaces `stored` at `now`.

    While `stored` lasts, that is `stored` itself, possibly with a later end. Afterwards it is the next one, or None.
    """
    if plan.cron is None:
        # A user may have ended it early, so its end does not follow from the plan.
        return stored if stored.ends > now else None
    computed = occurrence(plan, now)
    if stored.ends <= now:
        return computed
    if computed is not None and computed.starts <= now and computed.ends > stored.ends:
        return Occurrence(stored.starts, computed.ends)
    return stored


def following(plan: Plan, now: datetime) -> Occurrence | None:
    """Return the first occurrence that starts after `now`: what is left of a window whose current one was ended early."""
    if plan.cron is None:
        return None
    return _recurring(plan, plan.cron, now)


def never_ends(plan: Plan, now: datetime) -> bool:
    """Return whether the recurrences of `plan` leave no gap, neither among the next `MAX_JOINED` nor within a week."""
    if plan.cron is None:
        return False
    starts = fire_times(plan.cron, plan.timezone, now)
    for number, (earlier, later) in enumerate(pairwise(starts)):
        if later > earlier + plan.duration:
            return False
        if number >= MAX_JOINED and later > now + _WEEK:
            return True
    return False


def _recurring(plan: Plan, expression: str, after: datetime) -> Occurrence | None:
    """Return the occurrence of the first fire time after `after`, joined with those that follow without a gap."""
    coming = fire_times(expression, plan.timezone, after)
    starts = next(coming, None)
    if starts is None:
        return None
    ends = starts + plan.duration
    for number, fire_time in enumerate(coming):
        if fire_time > ends or number == MAX_JOINED:
            break
        ends = fire_time + plan.duration
    return Occurrence(starts, ends)
