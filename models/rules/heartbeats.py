"""Heartbeat deadlines: when a ping that has not arrived counts as missing.

This module is the only place that knows how a deadline follows from a monitor's configuration. Pure.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from models.rules.cron import fire_times

#: Defaults of the configuration, in minutes.
INTERVAL_MINUTES = 60
GRACE_MINUTES = 10
#: After an outage of the ping intake, jobs that were late or that retry may still report for this long.
RETRY_WINDOW = timedelta(minutes=1)

#: The time between two deadlines without a cron expression, as SQL over a column `config`: interval plus grace.
PERIOD_SQL = f"""interval '1min' * (coalesce((config->>'expectedIntervalMinutes')::float8, {INTERVAL_MINUTES})
            + coalesce((config->>'gracePeriodMinutes')::float8, {GRACE_MINUTES}))"""


def grace_period(config: Mapping[str, Any]) -> timedelta:
    """Return how late a ping may be."""
    return timedelta(minutes=_minutes(config, "gracePeriodMinutes", GRACE_MINUTES))


def deadline(config: Mapping[str, Any], after: datetime) -> datetime:
    """Return when a job that reported at `after` counts as missing.

    That is `after` plus interval plus grace, or the next cron fire time plus grace. `config` is the monitor's.
    """
    grace = grace_period(config)
    if cron := config.get("cronExpression"):
        return next(cron_deadlines(cron, config.get("timezone"), grace, after))
    return interval_deadline(_interval(config), grace, after)


def interval_deadline(interval: timedelta, grace: timedelta, after: datetime) -> datetime:
    """Return the deadline of a job that reported at `after` and is expected every `interval`."""
    return after + interval + grace


def cron_deadlines(cron: str, timezone: str | None, grace: timedelta, after: datetime) -> Iterator[datetime]:
    """Yield the deadlines of the fire times after `after`. `timezone` None means UTC. Raise what `fire_times` raises."""
    return (fire_time + grace for fire_time in fire_times(cron, timezone or "UTC", after))


def deadline_after_ping(config: Mapping[str, Any], at: datetime, due_before: datetime | None = None) -> datetime:
    """Return the deadline after a ping received at `at`. `due_before` is the deadline until then.

    Clocks differ, so the ping of a cron job may arrive early. It counts for the next fire time if it is early by at most
    the grace period and is not nearer to the previous fire time. But if the previous fire time still waits for its ping,
    the ping counts for that one alone: a job that runs for half of its period is not early for its next run.
    """
    due = deadline(config, at)
    cron, timezone = config.get("cronExpression"), config.get("timezone")
    if not cron:
        return due
    fire_time = next_fire_time(cron, timezone, at)
    lead, grace = fire_time - at, due - fire_time
    # The ping is nearer to the previous fire time exactly if that one lies within one more lead before `at`.
    if lead > grace or next_fire_time(cron, timezone, at - lead) != fire_time:
        return due
    if due_before is not None and at <= due_before < due:
        # A run's time limit can bring the deadline forward. Only the deadline of a fire time means that one waits.
        waiting = due_before - grace
        if next_fire_time(cron, timezone, waiting - timedelta(microseconds=1)) == waiting:
            return due
    return deadline(config, fire_time)


def deadline_after_miss(
    missed: datetime, now: datetime, *, period: timedelta | None, cron: str | None, timezone: str, grace: timedelta
) -> datetime:
    """Return the first deadline after both `missed` and `now`, for a job that has not reported.

    `period` is interval plus grace; it is None if `cron` is set.
    """
    if period is None:
        assert cron is not None, "a schedule has an interval or a cron expression"
        return next(cron_deadlines(cron, timezone, grace, max(missed, now) - grace))
    return missed + period * (max(0, (now - missed) // period) + 1)


def deadline_after_intake_outage(
    config: Mapping[str, Any], due: datetime, stopped: datetime, resumed: datetime
) -> datetime | None:
    """Return the new deadline of a heartbeat due at `due` if its ping may have been lost; None if `due` still holds.

    Supercheck received no pings from `stopped` to `resumed`. A ping is expected between one grace period before its
    regular time and its deadline. If that span overlaps the outage or the `RETRY_WINDOW` after it, the job may have
    reported in vain. A job that does not retry reports again at its next regular time, so the new deadline is that of
    the first regular time after the outage.
    """
    grace = grace_period(config)
    interval = _interval(config) or grace
    expected, settled = due - grace, resumed + RETRY_WINDOW
    cron = config.get("cronExpression")
    early = grace if cron else min(grace, interval / 2)
    if due < stopped or expected - early > settled:
        return None
    if cron:
        return deadline(config, max(expected, settled))
    intervals = max(1, -((expected - settled) // interval))
    return due + intervals * interval


def next_fire_time(cron: str, timezone: str | None, after: datetime) -> datetime:
    """Return the first fire time of `cron` after `after`, in UTC. `timezone` None means UTC."""
    return next(fire_times(cron, timezone or "UTC", after))


def _interval(config: Mapping[str, Any]) -> timedelta:
    return timedelta(minutes=_minutes(config, "expectedIntervalMinutes", INTERVAL_MINUTES))


def _minutes(config: Mapping[str, Any], key: str, default: float) -> float:
    value = config.get(key)
    return default if value is None else float(value)
