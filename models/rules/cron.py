"""Fire times of five-field cron expressions. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim


def fire_times(expression: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Yield the fire times of `expression` after `after`, in UTC.

    Daylight saving follows Debian's cron: a local time that is skipped fires immediately after the change, a local time
    that occurs twice fires once. Raise cronsim's `CronSimError` if the expression is invalid, and zoneinfo's errors if
    the time zone is unknown.
    """
    local = after.astimezone(ZoneInfo(timezone))
    # With fold=1, in the second pass of the repeated hour, cronsim would yield a time of that hour a second time.
    for local_time in CronSim(expression, local.replace(fold=0)):
        fire_time = local_time.astimezone(UTC)
        if fire_time > after:
            yield fire_time
