"""When a heartbeat is late: the one place that knows how its deadline follows from its configuration."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from models.rules.cron import slots

#: What holds where the configuration is silent, in minutes.
INTERVAL_MINUTES = 60
GRACE_MINUTES = 10
#: So long after our return a job that was late, or that tried again, may still come.
SETTLING = timedelta(minutes=1)


def deadline(config: Mapping[str, Any], after: datetime) -> datetime:
    """The moment at which a job that was last heard of at `after` counts as missing.

    `config` is the monitor's: interval plus grace, or the next cron slot in its time zone plus grace.
    """
    grace = timedelta(minutes=_minutes(config, "gracePeriodMinutes", GRACE_MINUTES))
    if cron := config.get("cronExpression"):
        return next_slot(cron, config.get("timezone"), after) + grace
    return after + timedelta(minutes=_minutes(config, "expectedIntervalMinutes", INTERVAL_MINUTES)) + grace


def deadline_after_ping(config: Mapping[str, Any], at: datetime, due_before: datetime | None = None) -> datetime:
    """The deadline after a ping that arrived at `at`: as `deadline`, but a ping shortly before its cron slot counts for it.

    Clocks differ, so a job's ping may arrive early. It counts for the slot ahead if it is early by at most the grace
    period and is not nearer to the slot before. A ping that a slot before still waits for counts for that one alone:
    a job that takes half of its period is not early for its next run. `due_before` is the deadline until now.
    """
    due = deadline(config, at)
    cron, timezone = config.get("cronExpression"), config.get("timezone")
    if not cron:
        return due
    slot = next_slot(cron, timezone, at)
    grace = due - slot
    # Half the distance to the slot before is reached exactly when no slot lies in the stretch twice as long as the lead.
    if slot - at > grace or next_slot(cron, timezone, at - (slot - at)) != slot:
        return due
    if due_before is not None and at <= due_before < due:
        # The limit of a run may have brought the deadline forward: only that of a slot says that it waits.
        waiting = due_before - grace
        if next_slot(cron, timezone, waiting - timedelta(microseconds=1)) == waiting:
            return due
    return deadline(config, slot)


def after_absence(config: Mapping[str, Any], due: datetime, away_from: datetime, back: datetime) -> datetime | None:
    """The deadline of a heartbeat that was due at `due`, when nobody took pings from `away_from` to `back`; None: it stays.

    A ping is looked for between a grace period before its regular time and its deadline. Where the absence, and
    `SETTLING` after it, meets that stretch, the ping may have come and gone unheard; a job that does not try again has its
    next chance at its next regular turn, so the deadline becomes that of the first one after our return.
    """
    grace = timedelta(minutes=_minutes(config, "gracePeriodMinutes", GRACE_MINUTES))
    interval = timedelta(minutes=_minutes(config, "expectedIntervalMinutes", INTERVAL_MINUTES)) or grace
    expected, settled = due - grace, back + SETTLING
    cron = config.get("cronExpression")
    early = grace if cron else min(grace, interval / 2)
    if due < away_from or expected - early > settled:
        return None
    if cron:
        return deadline(config, max(expected, settled))
    turns = max(1, -((expected - settled) // interval))
    return due + turns * interval


def next_slot(cron: str, timezone: str | None, after: datetime) -> datetime:
    """The first time after `after` that the five fields of `cron` name, in UTC; `timezone` is UTC where None."""
    return next(slots(cron, timezone or "UTC", after))


def _minutes(config: Mapping[str, Any], key: str, default: float) -> float:
    value = config.get(key)
    return default if value is None else float(value)
