"""A monitor's figures out of the rollups: uptime, response times by period, and per location. Never out of raw results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from models import histogram
from models.tables import DailyRollup, HourlyRollup
from web.charts import Point
from web.extensions import db

#: period -> (its name for people, its length)
PERIODS = {
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
    "90d": ("90 days", timedelta(days=90)),
}
_BY_HOUR = {"24h", "7d"}


class Rollup(NamedTuple):
    """One row of either table; `at` is the beginning of its hour or of its day, in UTC.

    Plain rows, because a page reads some hundreds of them and changes none.
    """

    at: datetime
    location: str
    up: int
    down: int
    error: int
    response_count: int
    response_sum: float
    response_min: float | None
    response_max: float | None
    histogram: list[int] | None


_SUMS = Rollup._fields[1:]


@dataclass(slots=True)
class Figures:
    """Sums over some rollups; times in milliseconds."""

    up: int = 0
    down: int = 0
    error: int = 0
    count: int = 0
    total: float = 0.0
    lowest: float | None = None
    highest: float | None = None
    histogram: list[int] = field(default_factory=list)

    @property
    def uptime(self) -> float | None:
        """In percent of what was measured; None where nothing was."""
        measured = self.up + self.down
        return 100 * self.up / measured if measured else None

    @property
    def average(self) -> float | None:
        return self.total / self.count if self.count else None

    def percentile(self, fraction: float) -> float | None:
        """The response time that `fraction` of the checks stayed below."""
        return histogram.percentile(self.histogram, fraction) if self.histogram else None

    def add(self, row: Rollup) -> None:
        """Count `row` in."""
        self.up += row.up
        self.down += row.down
        self.error += row.error
        self.count += row.response_count
        self.total += row.response_sum
        self.lowest = _chosen(min, self.lowest, row.response_min)
        self.highest = _chosen(max, self.highest, row.response_max)
        if row.histogram:
            wider = max(len(self.histogram), len(row.histogram))
            mine = self.histogram + [0] * (wider - len(self.histogram))
            theirs = row.histogram + [0] * (wider - len(row.histogram))
            self.histogram = [one + other for one, other in zip(mine, theirs, strict=True)]


def _chosen(choose: Any, one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    chosen: float = choose(one, other)
    return chosen


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True, slots=True)
class History:
    """The rollups of one monitor over the longest period: whole days before today, hours of the last week."""

    hours: Sequence[Rollup]
    days: Sequence[Rollup]
    now: datetime

    def rows(self, period: str) -> list[Rollup]:
        """The rollups that make up `period`: by hour up to a week, else by day with today's by hour."""
        first = self._first(period)
        if period in _BY_HOUR:
            return [row for row in self.hours if row.at >= first]
        today = _midnight(self.now.date())
        days = [row for row in self.days if first <= row.at < today]
        return days + [row for row in self.hours if row.at >= today]

    def figures(self, period: str) -> Figures:
        """The sums over `period`."""
        return _summed(self.rows(period))

    def by_location(self, period: str) -> dict[str, Figures]:
        """The sums over `period` of each location, by its code; `''` is where pings are counted."""
        found: dict[str, Figures] = {}
        for row in self.rows(period):
            found.setdefault(row.location, Figures()).add(row)
        return dict(sorted(found.items()))

    def points(self, period: str) -> list[Point]:
        """One point an hour or a day, the newest last, with empty ones where nothing was measured."""
        by_hour = period in _BY_HOUR
        buckets: dict[datetime, Figures] = {}
        for row in self.rows(period):
            at = row.at if by_hour else _midnight(row.at.date())
            buckets.setdefault(at, Figures()).add(row)
        step = timedelta(hours=1) if by_hour else timedelta(days=1)
        times = [self._first(period) + step * index for index in range(PERIODS[period][1] // step)]
        return [_point(at, buckets.get(at)) for at in times]

    def _first(self, period: str) -> datetime:
        """The beginning of the period's first hour or day."""
        length = PERIODS[period][1]
        if period in _BY_HOUR:
            return self.now.replace(minute=0, second=0, microsecond=0) - length + timedelta(hours=1)
        return _midnight(self.now.date()) - length + timedelta(days=1)


def history(monitor_id: UUID, now: datetime) -> History:
    """Two queries: at most a week of hours and 90 days."""
    hours = select(HourlyRollup.hour, *(getattr(HourlyRollup, name) for name in _SUMS)).where(
        HourlyRollup.monitor_id == monitor_id, HourlyRollup.hour > now - timedelta(days=7, hours=1)
    )
    days = select(DailyRollup.day, *(getattr(DailyRollup, name) for name in _SUMS)).where(
        DailyRollup.monitor_id == monitor_id, DailyRollup.day > now.date() - timedelta(days=90)
    )
    return History(
        [Rollup(*row) for row in db.session.execute(hours)],
        [Rollup(_midnight(day), *sums) for day, *sums in db.session.execute(days)],
        now,
    )


def _summed(rows: Iterable[Rollup]) -> Figures:
    figures = Figures()
    for row in rows:
        figures.add(row)
    return figures


def _point(at: datetime, found: Figures | None) -> Point:
    if found is None:
        return Point(at, None)
    return Point(at, found.average, found.percentile(0.95), found.up, found.down, found.error)
