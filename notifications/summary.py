"""The text of a summary: counts of many alerts, and as many lines of the list as a message holds."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from notifications.figures import clock
from notifications.notice import NoticeChange
from notifications.plain import line, units

#: Event -> icon, the text for one monitor, and the text after a count; in the order of the list.
_HAPPENED = {
    "monitor.down": ("🔴", "is down", "down"),
    "heartbeat.missed": ("🔴", "missed its heartbeat", "without a heartbeat"),
    "monitor.ssl_expiring": ("🟡", "has a certificate that expires", "with an expiring certificate"),
    "monitor.up": ("🟢", "is up again", "up again"),
}
_OTHER = ("🔵", "changed", "with other changes")
_ORDER = [*_HAPPENED]
#: The length of the line "and 1,234 more" with its line break.
_MORE_LENGTH = 24


class ChangeLine(NamedTuple):
    """One line of the list, as plain text; `url` is the monitor's page."""

    icon: str
    name: str
    happened: str
    at: str
    reason: str
    url: str

    @property
    def rest(self) -> str:
        """The text after the name."""
        return f"{self.happened} ({self.at})" + (f": {self.reason}" if self.reason else "")

    def __str__(self) -> str:
        return f"{self.icon} {self.name} {self.rest}"


def ordered(changes: Iterable[NoticeChange]) -> tuple[ChangeLine, ...]:
    """Return the lines, failures first; lines of the same event by time."""
    return tuple(map(_line_of, sorted(changes, key=lambda change: (_rank(change), change.at))))


def headline(changes: Sequence[NoticeChange]) -> str:
    """Return the counts, such as "37 down, 12 up again"."""
    counts = Counter(change.event if change.event in _HAPPENED else "" for change in changes)
    parts = [f"{counts[event]:,} {of_many}" for event, (_, _, of_many) in _HAPPENED.items() if counts[event]]
    if counts[""]:
        parts.append(f"{counts['']:,} {_OTHER[2]}")
    return ", ".join(parts) or "Several monitors changed state"


def reason(changes: Sequence[NoticeChange]) -> str:
    """Return why this is one message, and which period it covers."""
    if not changes:
        return ""
    times = [change.at for change in changes]
    span = f"between {clock(min(times))} and {clock(max(times))}"
    return f"{len(changes):,} changes of state {span}, grouped into one message."


def fitting(
    changes: Sequence[ChangeLine], room: int, size: Callable[[ChangeLine], int]
) -> tuple[Sequence[ChangeLine], str]:
    """Return as many of `changes` as fit into `room` with their line breaks, and a line that counts the rest, or ""."""
    left = room - _MORE_LENGTH
    for number, change in enumerate(changes):
        left -= size(change) + 1
        if left < 0:
            return changes[:number], more(len(changes) - number)
    return changes, ""


def listed(changes: Sequence[ChangeLine], room: int, escape: Callable[[str], str] = str) -> list[str]:
    """Return the result of `fitting` as escaped lines of text."""
    shown, rest = fitting(changes, room, lambda change: units(escape(str(change))))
    return [*(escape(str(change)) for change in shown), *([rest] if rest else [])]


def more(count: int) -> str:
    """Return the line for `count` items that are not shown."""
    return f"and {count:,} more"


def _rank(change: NoticeChange) -> int:
    return _ORDER.index(change.event) if change.event in _HAPPENED else len(_ORDER)


def _line_of(change: NoticeChange) -> ChangeLine:
    icon, happened, _ = _HAPPENED.get(change.event, _OTHER)
    name = line(change.name, 80) or "A monitor"
    # The reason of a recovery adds nothing to "is up again".
    reason = "" if change.event == "monitor.up" else line(change.reason, 120)
    return ChangeLine(icon, name, happened, clock(change.at), reason, change.url)
