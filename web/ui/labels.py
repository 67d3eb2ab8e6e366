"""Labels of states, types, roles and channels, and the format of times and sizes. Template filters."""

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
    "error": (
        "Check failed",
        "question-diamond-fill",
        "Supercheck could not run this check. The target's state is unknown.",
    ),
    "pending": ("Pending", "hourglass-split", "Not checked yet."),
    "paused": ("Paused", "pause-circle-fill", "Checks and alerts are off until it is resumed."),
    "maintenance": ("Maintenance", "wrench-adjustable-circle-fill", "Planned work: checks run, no alerts are sent."),
}
#: check type -> (word, icon)
TYPES = {kind: (row.label, row.icon) for kind, row in CHECK_TYPES.items()}
PROVIDERS = {name: (channel.label, channel.icon) for name, channel in CHANNELS.items()}
ROLES = {
    "super_admin": "Super administrator",
    "org_owner": "Organisation owner",
    "org_admin": "Organisation administrator",
    "project_admin": "Project administrator",
    "project_editor": "Editor",
    "project_viewer": "Viewer",
}
#: state of a maintenance window -> (word, look, icon)
WINDOWS = {
    "active": ("Active", "maintenance", "wrench-adjustable-circle-fill"),
    "scheduled": ("Scheduled", "pending", "calendar3"),
    "over": ("Ended", "paused", "check-circle"),
    "disabled": ("Disabled", "paused", "pause-circle-fill"),
}
ALERTS = {
    "monitor.down": ("Down", "down"),
    "monitor.up": ("Recovered", "up"),
    "heartbeat.missed": ("Heartbeat missed", "down"),
    "monitor.ssl_expiring": ("Certificate expires", "error"),
    "summary": ("Summary", "error"),
    "test": ("Test", "pending"),
}


#: Status of a delivery or an alert -> label.
DELIVERIES = {
    "sent": "Sent",
    "failed": "Failed",
    "pending": "Pending",
    "retrying": "Retrying",
    "suppressed": "Not sent",
}
#: (seconds, short name) of the units of a duration.
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
# Characters that are invisible or change the direction of text. Line ends and tabs are shown as they are.
_INVISIBLE = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ud800-\\udfff]"
)


def ago(at: datetime, now: datetime | None = None) -> str:
    """Return `12 s ago`, `in 3 min` or `just now`, the same text as times.js."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if abs(seconds) < 2:
        return "just now"
    # Future times are rounded: 22 h 57 min ahead is shown as 23 h.
    text = duration(seconds if seconds > 0 else _rounded(-seconds), parts=1)
    return f"{text} ago" if seconds > 0 else f"in {text}"


def _rounded(seconds: float) -> float:
    """Return `seconds` rounded to whole units of the size that is shown."""
    size = next((size for size, _ in _UNITS if seconds >= size), 1)
    return math.floor(seconds / size + 0.5) * size


def duration(seconds: float, parts: int = 2) -> str:
    """Return `45 s`, `3 min 20 s` or `2 d 4 h`: the largest `parts` units, rounded down."""
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
    """Return the time since `since`, such as `3 min 20 s`, the same text as times.js."""
    return duration(max(0.0, ((now or datetime.now(UTC)) - since).total_seconds()))


def clock(at: datetime, now: datetime | None = None) -> str:
    """Return `22:07 UTC` for today, `25 Nov 22:07 UTC` for another day. times.js converts it to the browser's time zone."""
    moment = at.astimezone(UTC)
    today = (now or datetime.now(UTC)).astimezone(UTC).date() == moment.date()
    return moment.strftime("%H:%M UTC" if today else "%-d %b %H:%M UTC")


def due(at: datetime, now: datetime | None = None) -> str:
    """Return `in 3 min`, or `now` if `at` is past; the same text as times.js."""
    current = now or datetime.now(UTC)
    return ago(at, current) if (at - current).total_seconds() >= 2 else "now"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return `1 result` or `2 results`; `plural` is for nouns without a plural in -s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def exact(at: datetime) -> str:
    """Return date and time in UTC, for titles and tables."""
    return at.astimezone(UTC).isoformat(" ", "seconds")[:19] + " UTC"


def iso(at: datetime) -> str:
    """Return the value of `<time datetime>`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def milliseconds(value: float) -> str:
    """Return `0.4 ms`, `87 ms`, `1.25 s` or `41.1 s`."""
    if value < 10:
        return f"{value:.1f} ms"
    if value < 1000:
        return f"{value:.0f} ms"
    return f"{value / 1000:.3g} s" if value < 999_500 else f"{value / 1000:.0f} s"


def percent(value: float | None) -> str:
    """Return `99.98`, never rounded up to 100; a dash if `value` is None."""
    if value is None:
        return "–"
    if value >= 100:
        return "100"
    shown = min(value, 99.99)
    return f"{shown:.2f}".rstrip("0").rstrip(".")


def day(at: datetime) -> str:
    """Return `25 Nov`, in UTC."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b}"


def part(value: float) -> str:
    """Return a percentage with one decimal below 1: `0.1`, `4`, `37`."""
    return f"{value:.0f}" if value >= 1 else f"{max(value, 0.1):.1f}"


def visible(text: Any) -> str:
    """Return `text` with a replacement character for each one that is invisible or changes the text direction."""
    return _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", str(text))


#: What the record of a suppressed alert says -> what the page says. Older versions wrote the last one.
_NOT_SENT = {
    "no provider": "this monitor has no active channel",
    "limit": "the limit of 3 alerts for this outage was reached",
    "off: the failure it ends was told to nobody": "no down alert was sent either",
}


def not_sent(because: str) -> str:
    """Return why an alert was not sent, such as `Not sent: this monitor has no active channel.`

    `because` is `Alert.suppressed_because`, a kind and a sentence. Alerts of the kind `storm` are sent in a summary.
    """
    kind, _, words = because.partition(": ")
    if kind == "storm":
        return "Sent in a summary: many monitors changed at once."
    reason = _NOT_SENT.get(because) or _NOT_SENT.get(kind) or words or because
    if reason.startswith("muted"):
        reason = f"alerts are {reason}"
    return f"Not sent: {reason}."


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
        visible=visible,
        advice=faults.advice,
        delivery_word=lambda status: DELIVERIES.get(status, status.capitalize()),
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
