"""The times of a maintenance window in words: in its time zone, and in UTC."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.tables import MaintenanceWindow
from web.ui.labels import counted

_DASH = "\N{EN DASH}"


def span(starts: datetime, ends: datetime, zone: str, now: datetime) -> str:
    """Return `today 22:00–23:00 Europe/Berlin (21:00–22:00 UTC)`; days are named where they are not today's.

    The times in UTC are left out where the zone has the same.
    """
    local = _zone(zone)
    shown = _between(starts, ends, local, now.astimezone(local).date(), today=True)
    if starts.astimezone(local).utcoffset() == ends.astimezone(local).utcoffset() == timedelta():
        return f"{shown} {zone}"
    return f"{shown} {zone} ({_between(starts, ends, UTC, starts.astimezone(local).date())} UTC)"


def summary(window: MaintenanceWindow, monitors: int, now: datetime) -> str:
    """Return what `window` means for how many monitors: `Today 22:00–23:00 UTC, 968 monitors, alerts off.`"""
    what = f"{counted(monitors, 'monitor')}, alerts off."
    if not window.enabled:
        return f"Disabled: no effect on {counted(monitors, 'monitor')}."
    if window.occurs_from is None or window.occurs_until is None:
        return f"Ended: {what}"
    text = span(window.occurs_from, window.occurs_until, window.timezone, now)
    if window.cron_expression:
        return f"Recurring, first {text}, {what}"
    return f"{text[0].upper()}{text[1:]}, {what}"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _between(starts: datetime, ends: datetime, zone: tzinfo, near: date, *, today: bool = False) -> str:
    """`22:00–23:00` with the days that differ from `near`; with `today`, that day is named by this word."""
    begin, end = starts.astimezone(zone), ends.astimezone(zone)
    first = f"{_day(begin, near)} " if begin.date() != near else "today " if today else ""
    last = f"{_day(end, near)} " if end.date() != begin.date() else ""
    return f"{first}{begin:%H:%M}{_DASH}{last}{end:%H:%M}"


def _day(moment: datetime, near: date) -> str:
    year = f" {moment.year}" if moment.year != near.year else ""
    return f"{moment:%a} {moment.day} {moment:%b}{year}"
