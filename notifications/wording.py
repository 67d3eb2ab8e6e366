"""The text of every message. Channels only arrange it and escape it for their markup.

All texts are plain: no markup and no control characters. Their lengths are bounded, so that the longest message fits the
lowest limit of any service even if each character is escaped (Discord: 6,000 characters, Telegram: 4,096 unescaped).
Only the list of a summary may be longer: each channel shows as much of it as its service accepts.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import faults
from check_types import CHECK_TYPES
from notifications import summary
from notifications.figures import clock, humanise, milliseconds, phases
from notifications.notice import Notice, NoticeChange, NoticeLocation
from notifications.plain import line, lines

ALERTS_PER_FAILURE = 3
LOCATIONS_SHOWN = 6
_USER_INFO = re.compile(r"(?<=//)[^/?#\s]*@")
#: The maximum length of a summary's list in a message without markup.
_MAX_TEXT_LIST = 3000
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
#: The beginning of a link or a tag in the markup of the services.
_MARKUP = re.compile(r"(\](?=\()|<(?=[!@#/A-Za-z]))")
_WORD_JOINER = "\u2060"


class Tone(StrEnum):
    """The severity of a message. Channels show it as colour, icon and word."""

    BAD = "bad"
    GOOD = "good"
    WARNING = "warning"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of one message. Only `custom_message` may contain newlines.

    `links` are (label, URL) of pages of this installation. `changes` is the list of a summary, empty in other messages.
    """

    tone: Tone
    icon: str
    state: str
    headline: str
    subject: str
    reason: str
    facts: tuple[tuple[str, str], ...]
    locations: tuple[str, ...]
    custom_message: str
    links: tuple[tuple[str, str], ...]
    sent_at: datetime
    changes: tuple[summary.ChangeLine, ...] = ()


#: The error code that distinguishes an expired certificate from one that expires soon; the event is the same.
_EXPIRED = "CERTIFICATE_EXPIRED"
_STATES: dict[str, tuple[Tone, str, str, str]] = {
    "monitor.down": (Tone.BAD, "🔴", "Down", "{name} is down"),
    "monitor.up": (Tone.GOOD, "🟢", "Up", "{name} is up again"),
    "monitor.ssl_expiring": (Tone.WARNING, "🟡", "Certificate", "The certificate of {name} expires soon"),
    _EXPIRED: (Tone.BAD, "🔴", "Certificate", "The certificate of {name} has expired"),
    "heartbeat.missed": (Tone.BAD, "🔴", "Missed", "{name} missed its heartbeat"),
    "test": (Tone.NEUTRAL, "🔵", "Test", "Test message from Supercheck"),
}
#: A failure alert that is sent after the outage has ended.
_LATE = (Tone.WARNING, "🟡", "Was down", "{name} was down and is up again")


def describe(notice: Notice) -> Wording:
    """Return the texts of `notice`."""
    if notice.event == "summary":
        return _summary(notice)
    event = _EXPIRED if notice.error_code == _EXPIRED else notice.event
    tone, icon, state, pattern = _STATES.get(event, (Tone.NEUTRAL, "🔵", "Notice", "Message about {name}"))
    if notice.ended_at:
        tone, icon, state, pattern = _LATE
    name = line(notice.monitor.name, 120) or "A monitor"
    reason = _reason(notice)
    if notice.ended_at:
        reason = f"This message is late: the outage ended at {clock(notice.ended_at)}. {reason}".rstrip()
    if notice.event == "test":
        reason = reason or "This channel works. Alerts look like this message."
    headline = pattern.replace("{name}", name)
    return Wording(
        tone=tone,
        icon=icon,
        state=state,
        headline=headline,
        subject=f"{icon} {headline}",
        reason=reason,
        facts=tuple((label, value) for label, value in _facts(notice) if value),
        locations=_locations(notice.locations),
        custom_message=lines(notice.custom_message, 800),
        links=_links(notice),
        sent_at=notice.sent_at,
    )


def without_mentions(text: str) -> str:
    """Return `text` with a word joiner after every @, so that services do not notify the user of that name."""
    return _MENTION.sub(f"@{_WORD_JOINER}", text)


def without_markup(text: str) -> str:
    """Return `text` without mentions, links and tags, for services that may interpret markup."""
    return _MARKUP.sub(rf"\1{_WORD_JOINER}", without_mentions(text))


def as_text(wording: Wording) -> str:
    """Return the body of a message without its headline, for channels without markup."""
    parts = [wording.reason, wording.custom_message]
    parts.append("\n".join(summary.listed(wording.changes, _MAX_TEXT_LIST)))
    parts.append("\n".join(f"{label}: {value}" for label, value in wording.facts))
    parts.append("\n".join(("From", *(f"- {location}" for location in wording.locations)) if wording.locations else ()))
    parts.append("\n".join(f"{label}: {url}" for label, url in wording.links))
    return "\n\n".join(filter(None, parts))


def _summary(notice: Notice) -> Wording:
    tone, icon = _worst(notice.changes)
    project = line(notice.project, 80)
    headline = f"{project}: {summary.headline(notice.changes)}" if project else summary.headline(notice.changes)
    return Wording(
        tone=tone,
        icon=icon,
        state="Summary",
        headline=headline,
        subject=f"{icon} {headline}",
        reason=summary.reason(notice.changes),
        facts=(("Project", project),) if project else (),
        locations=(),
        custom_message="",
        links=(("Open the dashboard", notice.monitor.url),),
        sent_at=notice.sent_at,
        changes=summary.ordered(notice.changes),
    )


def _worst(changes: tuple[NoticeChange, ...]) -> tuple[Tone, str]:
    """Return tone and icon of the most severe event."""
    events = {change.event for change in changes}
    for event in ("monitor.down", "heartbeat.missed", "monitor.ssl_expiring", "monitor.up"):
        if event in events:
            return _STATES[event][0], _STATES[event][1]
    return Tone.NEUTRAL, "🔵"


def _links(notice: Notice) -> tuple[tuple[str, str], ...]:
    if notice.event == "test":
        return (("Open Supercheck", notice.monitor.url),)
    incident = [("Open the incident", notice.incident_url)] if notice.incident_url else []
    return (("Open the monitor", notice.monitor.url), *incident)


def _reason(notice: Notice) -> str:
    """Return what happened and what to do next, at most 400 characters. Only the reason is cut, not the advice."""
    advice = "" if notice.event == "monitor.up" else faults.guidance(notice.error_code)
    return f"{line(notice.reason, 399 - len(advice))} {advice}".strip()


def _type(kind: str) -> str:
    return CHECK_TYPES[kind].label if kind in CHECK_TYPES else line(kind, 40)


def _facts(notice: Notice) -> list[tuple[str, str]]:
    """Return labels and values in display order; the caller drops empty values."""
    ended = notice.event == "monitor.up" or notice.ended_at is not None
    number = f"{notice.alert_number} of {ALERTS_PER_FAILURE}" if notice.alert_number else ""
    failures = f"{notice.consecutive_failure_count:,}" if notice.consecutive_failure_count else ""
    return [
        ("Was down since" if ended else "Since", clock(notice.down_since)),
        ("Was down for" if ended else "For", _outage(notice)),
        ("Code", line(notice.error_code or "", 60)),
        ("Status code", str(notice.status_code or "")),
        ("Response time", milliseconds(notice.response_time_ms)),
        ("Phases", phases(notice.timings)),
        ("Failed checks in a row", "" if ended else failures),
        ("Alert", number),
        ("Checked", clock(notice.checked_at)),
        ("Target", _USER_INFO.sub("", line(notice.monitor.target, 200))),
        ("Type", _type(notice.monitor.type)),
        ("Project", line(notice.project, 80)),
    ]


def _outage(notice: Notice) -> str:
    seconds: float | None = notice.down_for_seconds
    if notice.ended_at and notice.down_since:
        seconds = (notice.ended_at - notice.down_since).total_seconds()
    if seconds is None and notice.down_since and notice.event != "monitor.up":
        seconds = (notice.sent_at - notice.down_since).total_seconds()
    return "" if seconds is None else humanise(seconds)


def _locations(locations: tuple[NoticeLocation, ...]) -> tuple[str, ...]:
    """Return one line per location, failed ones first, and a line that counts those that are not shown."""
    ordered = sorted(locations, key=lambda location: (location.status == "up", location.location))
    shown = [_location(location) for location in ordered[:LOCATIONS_SHOWN]]
    if len(ordered) > LOCATIONS_SHOWN:
        shown.append(summary.more(len(ordered) - LOCATIONS_SHOWN))
    return tuple(shown)


def _location(result: NoticeLocation) -> str:
    parts = [line(result.status, 12), milliseconds(result.response_time_ms), line(result.error or "", 60)]
    return line(f"{line(result.location, 32)}: " + ", ".join(filter(None, parts)), 80)
