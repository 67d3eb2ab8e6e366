"""Many monitors' changes of state in one message: what the storm did, and as much of the list as there is room for."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from notifications.figures import clock
from notifications.notice import NoticeChange
from notifications.plain import line, units

#: Event -> icon, what happened to one monitor, and to so many of them; in the order of reading.
_HAPPENED = {
    "monitor.down": ("🔴", "is down", "down"),
    "heartbeat.missed": ("🔴", "missed its heartbeat", "without a heartbeat"),
    "monitor.ssl_expiring": ("🟡", "has a certificate that expires", "with an expiring certificate"),
    "monitor.up": ("🟢", "is up again", "up again"),
}
_OTHER = ("🔵", "changed", "changed otherwise")
_ORDER = [*_HAPPENED]
#: What the line "and 1,234 more" takes, line break included.
_REST = 24


class Change(NamedTuple):
    """One line of the list, in plain words; `url` is the monitor's page."""

    icon: str
    name: str
    happened: str
    at: str
    reason: str
    url: str

    @property
    def rest(self) -> str:
        """Everything after the name."""
        return f"{self.happened} ({self.at})" + (f": {self.reason}" if self.reason else "")

    def __str__(self) -> str:
        return f"{self.icon} {self.name} {self.rest}"


def ordered(changes: Iterable[NoticeChange]) -> tuple[Change, ...]:
    """What is bad first, and among it what happened first."""
    return tuple(map(_worded, sorted(changes, key=lambda one: (_rank(one), one.at))))


def headline(changes: Sequence[NoticeChange]) -> str:
    """The counts: "37 down, 12 up again"."""
    counts = Counter(one.event if one.event in _HAPPENED else "" for one in changes)
    words = [f"{counts[event]:,} {of_many}" for event, (_, _, of_many) in _HAPPENED.items() if counts[event]]
    if counts[""]:
        words.append(f"{counts['']:,} {_OTHER[2]}")
    return ", ".join(words) or "Several monitors changed state"


def reason(changes: Sequence[NoticeChange]) -> str:
    """Why there is one message only, and of which time it tells."""
    if not changes:
        return ""
    moments = [one.at for one in changes]
    span = f"between {clock(min(moments))} and {clock(max(moments))}"
    return f"{len(changes):,} changes of state {span}, told in this one message instead of many."


def fitting(changes: Sequence[Change], room: int, size: Callable[[Change], int]) -> tuple[Sequence[Change], str]:
    """As many of `changes` as `room` holds, line breaks included, and the line that counts the others, or ""."""
    left = room - _REST
    for number, change in enumerate(changes):
        left -= size(change) + 1
        if left < 0:
            return changes[:number], more(len(changes) - number)
    return changes, ""


def listed(changes: Sequence[Change], room: int, escape: Callable[[str], str] = str) -> list[str]:
    """`fitting` as escaped lines of text."""
    shown, rest = fitting(changes, room, lambda change: units(escape(str(change))))
    return [*(escape(str(change)) for change in shown), *([rest] if rest else [])]


def more(count: int) -> str:
    """How many are not shown."""
    return f"and {count:,} more"


def _rank(change: NoticeChange) -> int:
    return _ORDER.index(change.event) if change.event in _HAPPENED else len(_ORDER)


def _worded(change: NoticeChange) -> Change:
    icon, happened, _ = _HAPPENED.get(change.event, _OTHER)
    name = line(change.name, 80) or "A monitor"
    # The recovery's own reason says no more than that it is one.
    reason = "" if change.event == "monitor.up" else line(change.reason, 120)
    return Change(icon, name, happened, clock(change.at), reason, change.url)
