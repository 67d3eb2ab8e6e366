"""Figures for people: durations, moments, milliseconds, the phases of an answer."""

from collections.abc import Mapping
from datetime import UTC, datetime

#: The phases of API.md's `timings`, in the order in which they happen.
_PHASES = {
    "dnsMs": "DNS",
    "connectMs": "connect",
    "tlsMs": "TLS",
    "firstByteMs": "first byte",
    "downloadMs": "download",
}


def humanise(seconds: float) -> str:
    """A duration in its two largest units: "3 hours 20 minutes"."""
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
    """`moment` for people, in UTC; empty for None."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


def milliseconds(value: float | None) -> str:
    """`value` for people; empty for None."""
    if value is None:
        return ""
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def phases(timings: Mapping[str, float] | None) -> str:
    """Where the time went: "DNS 12 ms, connect 20 ms"; phases that did not take place are left out."""
    known = timings or {}
    return ", ".join(f"{word} {milliseconds(known[name])}" for name, word in _PHASES.items() if known.get(name))
