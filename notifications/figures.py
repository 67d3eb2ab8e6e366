"""Formats durations, times, milliseconds and the phases of a response for people."""

from collections.abc import Mapping
from datetime import UTC, datetime

#: The phases of API.md's `timings`, in order.
_PHASES = {
    "dnsMs": "DNS",
    "connectMs": "connect",
    "tlsMs": "TLS",
    "firstByteMs": "first byte",
    "downloadMs": "download",
}


def humanise(seconds: float) -> str:
    """Return a duration in its two largest units, such as "3 hours 20 minutes"."""
    left = int(seconds)
    if left < 1:
        return "less than a second"
    words = []
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}{'' if count == 1 else 's'}")
        elif words:
            break
    return " ".join(words[:2])


def clock(moment: datetime | None) -> str:
    """Return `moment` in UTC, such as "2026-03-01 12:00:00 UTC"; empty for None."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


def milliseconds(value: float | None) -> str:
    """Return `value` with its unit, such as "87 ms"; empty for None."""
    if value is None:
        return ""
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def phases(timings: Mapping[str, float] | None) -> str:
    """Return the duration of each phase, such as "DNS 12 ms, connect 20 ms"; phases without a value are left out."""
    known = timings or {}
    return ", ".join(f"{word} {milliseconds(known[name])}" for name, word in _PHASES.items() if known.get(name))
