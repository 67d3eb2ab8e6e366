"""When a maintenance window is on: its occurrences, computed from how it was put down. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from models.rules.cron import slots

#: Occurrences that run into each other are followed so far ahead; periodic work follows them further.
CHAIN = 500
_WEEK = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Plan:
    """A window as the user put it down: once from `starts_at` on, or by the five fields of `cron`, read in `timezone`.

    `duration` is real time: two hours stay two hours on the night when the clocks change.
    """

    starts_at: datetime | None
    cron: str | None
    timezone: str
    duration: timedelta


class Occurrence(NamedTuple):
    """One time of maintenance, in UTC: `starts` belongs to it, `ends` does not."""

    starts: datetime
    ends: datetime


def occurrence(plan: Plan, now: datetime) -> Occurrence | None:
    """The occurrence that covers `now`, else the next one; None where there is none any more.

    Recurrences that overlap or touch are one occurrence. Raises cronsim's `CronSimError` for an expression that cannot
    be read, and `zoneinfo`'s errors for an unknown time zone.
    """
    if plan.cron is None:
        assert plan.starts_at is not None, "the window's constraint: a start or an expression"
        ends = plan.starts_at + plan.duration
        return Occurrence(plan.starts_at, ends) if ends > now else None
    return _recurring(plan, plan.cron, now - plan.duration)


def moved_on(plan: Plan, present: Occurrence, now: datetime) -> Occurrence | None:
    """What stands after `present` at `now`: itself while it is on, perhaps lasting longer; the next one once it is over."""
    if plan.cron is None:
        # It may have been ended before its time.
        return present if present.ends > now else None
    found = occurrence(plan, now)
    if present.ends <= now:
        return found
    if found is not None and found.starts <= now and found.ends > present.ends:
        return Occurrence(present.starts, found.ends)
    return present


def following(plan: Plan, now: datetime) -> Occurrence | None:
    """The occurrence that begins after `now`: what is left of a window whose present occurrence was ended by hand."""
    if plan.cron is None:
        return None
    return _recurring(plan, plan.cron, now)


def never_ends(plan: Plan, now: datetime) -> bool:
    """Whether the recurrences of `plan` run into each other: no gap among the next ones, nor within a week."""
    if plan.cron is None:
        return False
    coming = slots(plan.cron, plan.timezone, now)
    for number, (earlier, later) in enumerate(pairwise(coming)):
        if later > earlier + plan.duration:
            return False
        if number >= CHAIN and later > now + _WEEK:
            return True
    return False


def _recurring(plan: Plan, expression: str, after: datetime) -> Occurrence | None:
    """The occurrence of the first slot after `after`, with those that follow it without a gap."""
    coming = slots(expression, plan.timezone, after)
    starts = next(coming, None)
    if starts is None:
        return None
    ends = starts + plan.duration
    for number, slot in enumerate(coming):
        if slot > ends or number == CHAIN:
            break
        ends = slot + plan.duration
    return Occurrence(starts, ends)
