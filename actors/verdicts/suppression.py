"""Whether the alerts of a monitor are suppressed: by a maintenance window or a mute. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

#: (start, end) of a maintenance window; the end is exclusive.
Span = tuple[datetime, datetime]


class Suppression(NamedTuple):
    """Why no alert is sent now, `maintenance` or `mute`, and until when."""

    reason: str
    until: datetime

    @property
    def sentence(self) -> str:
        """The reason as the alert history shows it."""
        what = "the monitor is in maintenance" if self.reason == "maintenance" else "alerts are muted"
        return f"{self.reason}: {what} until {self.until:%Y-%m-%d %H:%M} UTC"


def suppression_of(
    windows: Iterable[Span], muted_until: datetime | None, scheduled_for: datetime, now: datetime
) -> Suppression | None:
    """Return what suppresses the alerts of the round of `scheduled_for`, decided at `now`; None if they may be sent.

    A round that was measured in a window stays suppressed after it: the monitor is rechecked when the window ends.
    """
    since, until = min(scheduled_for, now), max(scheduled_for, now)
    ends = [end for begin, end in windows if begin <= until and end > since]
    if ends:
        return Suppression("maintenance", max(ends))
    if muted_until is not None and muted_until > since:
        return Suppression("mute", muted_until)
    return None


def in_maintenance(windows: Iterable[Span], at: datetime) -> bool:
    """Return whether one of the windows covers `at`."""
    return any(begin <= at < end for begin, end in windows)
