"""Stretches of virtual time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple


class Span(NamedTuple):
    """From `start` to before `end`."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def meets(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end

    def wider(self, before: timedelta, after: timedelta) -> "Span":
        return Span(self.start - before, self.end + after)


def any_holds(spans: Iterable[Span], moment: datetime) -> bool:
    return any(span.holds(moment) for span in spans)


def any_meets(spans: Iterable[Span], other: Span) -> bool:
    return any(span.meets(other) for span in spans)
