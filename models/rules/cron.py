"""The times that a five-field cron expression names. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim


def slots(expression: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """The times after `after` that `expression` names, in UTC; the same ones wherever one begins.

    Daylight saving as Debian's cron has it: a time that does not exist comes at once, one that exists twice comes once.
    Raises cronsim's `CronSimError` for an expression that cannot be read, and `zoneinfo`'s errors for an unknown zone.
    """
    local = after.astimezone(ZoneInfo(timezone))
    # Begun within the repeated hour, cronsim would name a time of that hour once more.
    for slot in CronSim(expression, local.replace(fold=0)):
        found = slot.astimezone(UTC)
        if found > after:
            yield found
