"""Whether a monitor is hushed: in a maintenance window, or muted. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

#: (begin, end) of a window; the end does not belong to it.
Span = tuple[datetime, datetime]


class Hush(NamedTuple):
    """Why nobody is told now: `maintenance` or `mute`, and until when."""

    reason: str
    until: datetime

    @property
    def sentence(self) -> str:
        """For the alert history."""
        what = "in maintenance" if self.reason == "maintenance" else "muted"
        return f"{self.reason}: {what} until {self.until:%Y-%m-%d %H:%M} UTC"


def of_round(
    windows: Iterable[Span], muted_until: datetime | None, scheduled_for: datetime, now: datetime
) -> Hush | None:
    """What hushes the round of `scheduled_for`, decided at `now`; None where it may be told.

    What was measured in a window is not told after it: the window's end has the monitor checked afresh.
    """
    since, until = min(scheduled_for, now), max(scheduled_for, now)
    ends = [end for begin, end in windows if begin <= until and end > since]
    if ends:
        return Hush("maintenance", max(ends))
    if muted_until is not None and muted_until > since:
        return Hush("mute", muted_until)
    return None


def in_maintenance(windows: Iterable[Span], at: datetime) -> bool:
    """Whether one of the windows is on at `at`."""
    return any(begin <= at < end for begin, end in windows)
