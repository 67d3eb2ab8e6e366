"""The schedule of a monitor: validated, and converted to an interval or a cron expression."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from cronsim import CronSim, CronSimError

import settings
from models.rules import time_zones

DEFAULT_MINUTES = 5
_LONGEST_S = 1440 * 60
_LONGEST_HEARTBEAT_S = 366 * 1440 * 60
_SHORTEST_SYNTHETIC_S = 5 * 60
#: How many runs of a cron expression are checked for the shortest interval: more than an hour's worth.
_RUNS_CHECKED = 100


@dataclass(frozen=True, slots=True)
class Schedule:
    """`interval_seconds` or `cron_expression`; for heartbeats the interval includes the grace period."""

    interval_seconds: int | None
    cron_expression: str | None
    timezone: str


def shortest_seconds(kind: str) -> int:
    """Return the shortest interval that monitors of this type may have."""
    shortest = settings.get().min_check_interval_seconds
    return max(shortest, _SHORTEST_SYNTHETIC_S) if kind == "synthetic_test" else shortest


def polled(
    kind: str, frequency_minutes: float | None, cron_expression: str | None, timezone: str, problems: dict[str, str]
) -> Schedule:
    """Return the schedule of a monitor that is not a heartbeat. Add errors to `problems` by field."""
    check_timezone(timezone, "timezone", problems)
    if cron_expression:
        check_cron(cron_expression, "cronExpression", shortest_seconds(kind), problems)
        return Schedule(None, cron_expression, timezone)
    seconds = round((DEFAULT_MINUTES if frequency_minutes is None else frequency_minutes) * 60)
    shortest = shortest_seconds(kind)
    if not shortest <= seconds <= _LONGEST_S:
        problems["frequencyMinutes"] = f"Must be from {shortest / 60:g} to {_LONGEST_S // 60} minutes."
    return Schedule(seconds, None, timezone)


def heartbeat(config: Mapping[str, Any], problems: dict[str, str]) -> Schedule:
    """Return a heartbeat's schedule from its complete config. Add errors to `problems` by field."""
    timezone = str(config["timezone"])
    check_timezone(timezone, "config.timezone", problems)
    if cron := config.get("cronExpression"):
        check_cron(cron, "config.cronExpression", 60, problems)
        return Schedule(None, cron, timezone)
    seconds = round((config["expectedIntervalMinutes"] + config["gracePeriodMinutes"]) * 60)
    shortest = shortest_seconds("heartbeat")
    if not shortest <= seconds <= _LONGEST_HEARTBEAT_S:
        problems["config.expectedIntervalMinutes"] = (
            f"Interval and grace period together must be from {shortest / 60:g} minutes to 366 days."
        )
    return Schedule(seconds, None, timezone)


def check_timezone(name: str, field: str, problems: dict[str, str]) -> None:
    """Add a problem unless `name` is the current name of a time zone, such as Europe/Berlin.

    `localtime`, `posixrules` and similar system files are rejected: their meaning depends on the machine.
    """
    if not time_zones.is_known(name):
        problems[field] = "Must be the name of a time zone, such as UTC or Europe/Berlin."


def check_cron(expression: str, field: str, shortest: int, problems: dict[str, str]) -> None:
    """Add a problem unless `expression` has five fields, has a next run, and no two runs within `shortest` seconds."""
    if len(expression.split()) != 5:
        problems[field] = "Must have five fields: minute, hour, day of month, month, day of week."
        return
    try:
        runs = list(islice(CronSim(expression, datetime.now(UTC)), _RUNS_CHECKED))
    except (CronSimError, ValueError):
        problems[field] = "Not a cron expression: try one such as */5 * * * * or 30 4 * * 1-5."
        return
    if not runs:
        problems[field] = "This expression never matches a date."
    elif any(later - earlier < timedelta(seconds=shortest) for earlier, later in pairwise(runs)):
        problems[field] = f"Runs more often than every {shortest / 60:g} minutes, the shortest interval here."
