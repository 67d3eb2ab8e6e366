"""How things are said on pages: states, times, sizes, and why a check failed. Filters of the templates."""

import math
import re
from datetime import UTC, datetime
from typing import Any

from flask import Flask

import faults
from channels import CHANNELS
from check_types import CHECK_TYPES

#: status -> (word, icon, what it means)
STATES = {
    "up": ("Up", "check-circle-fill", "The last checks passed."),
    "down": ("Down", "x-octagon-fill", "The target failed its checks."),
    "error": ("Not checked", "question-diamond-fill", "We could not check: our trouble, not the target's."),
    "pending": ("Pending", "hourglass-split", "Not checked yet."),
    "paused": ("Paused", "pause-circle-fill", "Checking is switched off."),
    "maintenance": ("Maintenance", "wrench-adjustable-circle-fill", "Planned work: no alerts meanwhile."),
}
#: check type -> (word, icon)
TYPES = {kind: (row.label, row.icon) for kind, row in CHECK_TYPES.items()}
PROVIDERS = {name: (channel.label, channel.icon) for name, channel in CHANNELS.items()}
ROLES = {
    "super_admin": "Super administrator",
    "org_owner": "Owner of the organisation",
    "org_admin": "Administrator of the organisation",
    "project_admin": "Administrator of the project",
    "project_editor": "Editor",
    "project_viewer": "Viewer",
}
#: state of a maintenance window -> (word, look, icon)
WINDOWS = {
    "active": ("On now", "maintenance", "wrench-adjustable-circle-fill"),
    "scheduled": ("Planned", "pending", "calendar3"),
    "over": ("Over", "paused", "check-circle"),
    "disabled": ("Not in use", "paused", "pause-circle-fill"),
}
ALERTS = {
    "monitor.down": ("Down", "down"),
    "monitor.up": ("Recovered", "up"),
    "heartbeat.missed": ("Heartbeat missed", "down"),
    "monitor.ssl_expiring": ("Certificate expires", "error"),
    "summary": ("Summary", "error"),
    "test": ("Test", "pending"),
}


#: (seconds, short name) of the units of a duration.
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
# Line ends and tabs are shown as what they are.
_INVISIBLE = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ud800-\\udfff]"
)


def ago(at: datetime, now: datetime | None = None) -> str:
    """`12 s ago`, `in 3 min`, `just now`; the same words as times.js."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if abs(seconds) < 2:
        return "just now"
    # What is to come is rounded: 22 h 57 min ahead are 23 h, and not 22 h.
    text = duration(seconds if seconds > 0 else _rounded(-seconds), parts=1)
    return f"{text} ago" if seconds > 0 else f"in {text}"


def _rounded(seconds: float) -> float:
    """`seconds`, rounded to whole units of the size that is shown."""
    size = next((size for size, _ in _UNITS if seconds >= size), 1)
    return math.floor(seconds / size + 0.5) * size


def duration(seconds: float, parts: int = 2) -> str:
    """`45 s`, `3 min 20 s`, `2 d 4 h`: the largest `parts` units, rounded down."""
    left = int(seconds)
    words = []
    for size, name in _UNITS:
        if left >= size:
            words.append(f"{left // size} {name}")
            left %= size
        elif words:
            break
    return " ".join(words[:parts]) or "0 s"


def lasted(since: datetime, now: datetime | None = None) -> str:
    """How long something has lasted: `3 min 20 s`; the same words as times.js."""
    return duration(max(0.0, ((now or datetime.now(UTC)) - since).total_seconds()))


def clock(at: datetime, now: datetime | None = None) -> str:
    """`22:07 UTC` for today, `25 Nov 22:07 UTC` for another day; times.js shows it in the reader's time zone."""
    moment = at.astimezone(UTC)
    today = (now or datetime.now(UTC)).astimezone(UTC).date() == moment.date()
    return moment.strftime("%H:%M UTC" if today else "%-d %b %H:%M UTC")


def due(at: datetime, now: datetime | None = None) -> str:
    """When something is due: `in 3 min`, or `now` once its time has come; the same words as times.js."""
    current = now or datetime.now(UTC)
    return ago(at, current) if (at - current).total_seconds() >= 2 else "now"


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 result`, `2 results`; `plural` where an s does not make it."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def exact(at: datetime) -> str:
    """The whole time in UTC, for titles and tables."""
    return at.astimezone(UTC).isoformat(" ", "seconds")[:19] + " UTC"


def iso(at: datetime) -> str:
    """What `<time datetime>` wants."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def milliseconds(value: float) -> str:
    """`0.4 ms`, `87 ms`, `1.25 s`, `41.1 s`."""
    if value < 10:
        return f"{value:.1f} ms"
    if value < 1000:
        return f"{value:.0f} ms"
    return f"{value / 1000:.3g} s" if value < 999_500 else f"{value / 1000:.0f} s"


def percent(value: float | None) -> str:
    """`99.98 %`, never rounded up to a perfect 100; a dash where nothing was measured."""
    if value is None:
        return "–"
    if value >= 100:
        return "100"
    shown = min(value, 99.99)
    return f"{shown:.2f}".rstrip("0").rstrip(".")


def day(at: datetime) -> str:
    """`25 Nov`, in UTC."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b}"


def part(value: float) -> str:
    """A percentage as precise as it is small: `0.1`, `4`, `37`."""
    return f"{value:.0f}" if value >= 1 else f"{max(value, 0.1):.1f}"


def visible(text: Any) -> str:
    """Foreign text with a mark in place of every character that shows nothing or turns the direction of what follows."""
    return _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", str(text))


def schedule(monitor: Any) -> str:
    """How often a monitor is checked, in words."""
    if monitor.cron_expression:
        return f"by cron {monitor.cron_expression} ({monitor.timezone})"
    return f"every {duration(monitor.interval_seconds)}"


def not_sent(because: str) -> str:
    """Why an alert was not sent, as a sentence: `Not sent: no enabled notification provider …`.

    An alert in a storm is sent in a summary. The limit is told in one way, whatever the record says.
    """
    kind, _, words = because.partition(": ")
    if kind == "storm":
        return "Sent in a summary: many monitors changed at once."
    if kind == "limit":
        words = "the limit of 3 alerts for this outage was reached"
    return f"Not sent: {words or because}"


def init_app(app: Flask) -> None:
    """Give the templates of `app` these filters."""
    unknown = ("Unknown", "dot", "")
    app.jinja_env.filters.update(
        ago=ago,
        clock=clock,
        due=due,
        counted=counted,
        day=day,
        not_sent=not_sent,
        part=part,
        exact=exact,
        iso=iso,
        lasted=lasted,
        duration=duration,
        ms=milliseconds,
        percent=percent,
        schedule=schedule,
        visible=visible,
        advice=faults.advice,
        window_look=lambda state: WINDOWS[state],
        state_word=lambda status: STATES.get(status, unknown)[0],
        state_icon=lambda status: STATES.get(status, unknown)[1],
        state_meaning=lambda status: STATES.get(status, unknown)[2],
        type_word=lambda kind: TYPES.get(kind, (kind, "dot"))[0],
        type_icon=lambda kind: TYPES.get(kind, (kind, "dot"))[1],
        provider_word=lambda kind: PROVIDERS.get(kind, (kind, "send"))[0],
        provider_icon=lambda kind: PROVIDERS.get(kind, (kind, "send"))[1],
        alert_word=lambda kind: ALERTS.get(kind, (kind, "paused"))[0],
        alert_look=lambda kind: ALERTS.get(kind, (kind, "paused"))[1],
    )
