"""A monitor's statistics from the rollups: uptime and response times by period and location. Raw results are not read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select

from models.rules import histogram
from models.tables import DailyRollup, HourlyRollup, Incident
from web.features.results.charts import Point
from web.http.extensions import db

#: period -> (its name for people, its length)
PERIODS = {
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
    "90d": ("90 days", timedelta(days=90)),
}
_BY_HOUR = {"24h", "7d"}
#: The latest days, including today, may have no daily rollup yet. Their hourly rollups are summed instead.
_UNSUMMED = timedelta(days=2)


class Rollup(NamedTuple):
    """One row of either rollup table. `at` is the start of its hour or day in UTC.

    The location of pings is `''`. These are plain rows, not ORM objects, because a page reads hundreds of them.
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
    """The sums of some rollups. Times are in milliseconds, of successful checks."""

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
        """The percentage of successful checks, without errors; None if there are none."""
        measured = self.up + self.down
        return 100 * self.up / measured if measured else None

    @property
    def average(self) -> float | None:
        """The mean response time."""
        return self.total / self.count if self.count else None

    def percentile(self, fraction: float) -> float | None:
        """Return the response time below which `fraction` of the checks were."""
        return histogram.percentile(self.histogram, fraction) if self.histogram else None

    def add(self, row: Rollup) -> None:
        """Add `row` to the sums."""
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
            self.histogram = [left + right for left, right in zip(mine, theirs, strict=True)]


def _chosen(choose: Any, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return right if left is None else left
    chosen: float = choose(left, right)
    return chosen


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def start_of(period: str, now: datetime) -> datetime:
    """Return the start of the first hour or day of `period`, which ends with the current one."""
    length = PERIODS[period][1]
    if period in _BY_HOUR:
        return now.replace(minute=0, second=0, microsecond=0) - length + timedelta(hours=1)
    return _first_of(length.days, now)


def _first_of(days: int, now: datetime) -> datetime:
    return _midnight(now.date()) - timedelta(days=days - 1)


def covered(period: str, since: datetime, now: datetime) -> float | None:
    """Return the percentage of `period` that is after `since`, or None if all of it is."""
    first = start_of(period, now)
    return 100 * max(timedelta(), now - since) / (now - first) if since > first else None


@dataclass(frozen=True, slots=True)
class History:
    """The rollups of one monitor by day, and by hour for the latest days."""

    hours: Sequence[Rollup]
    days: Sequence[Rollup]
    now: datetime

    def rows(self, period: str) -> list[Rollup]:
        """Return the rollups of `period`: by hour up to a week, else by day."""
        first = start_of(period, self.now)
        if period in _BY_HOUR:
            return [row for row in self.hours if row.at >= first]
        return self._by_day(first)

    def figures(self, period: str) -> Figures:
        """Return the sums over `period`."""
        return _summed(self.rows(period))

    def by_location(self, days: int) -> dict[str, Figures]:
        """Return {location code: sums} over the last `days`, including today."""
        found: dict[str, Figures] = {}
        for row in self._by_day(_first_of(days, self.now)):
            found.setdefault(row.location, Figures()).add(row)
        return dict(sorted(found.items()))

    def points(self, period: str, since: datetime | None = None) -> list[Point]:
        """Return one point per hour or day, the latest last. Points without measurements are empty.

        If the monitor was created at `since` within the period, the first point is at its creation, and a monitor that is a
        few days old has hourly points.
        """
        first = start_of(period, self.now)
        since = min(max(since or first, first), self.now)
        by_hour = period in _BY_HOUR or since > self.now - PERIODS["7d"][1]
        rows = [row for row in self.hours if row.at >= first] if by_hour else self.rows(period)
        buckets: dict[datetime, Figures] = {}
        for row in rows:
            buckets.setdefault(row.at if by_hour else _midnight(row.at.date()), Figures()).add(row)
        # Measurements from before `since`, such as imported ones, are shown too.
        at = min([since.replace(minute=0, second=0, microsecond=0) if by_hour else _midnight(since.date()), *buckets])
        step = timedelta(hours=1) if by_hour else timedelta(days=1)
        points = []
        while at <= self.now:
            points.append(_point(at, buckets.get(at)))
            at += step
        return points

    def _by_day(self, first: datetime) -> list[Rollup]:
        """Return the daily rollups before today, and the hourly ones of today and of days without a daily rollup."""
        today = _midnight(self.now.date())
        whole = [row for row in self.days if first <= row.at < today]
        summed = {row.at for row in whole}
        since = max(first, today - _UNSUMMED)
        return whole + [row for row in self.hours if row.at >= since and _midnight(row.at.date()) not in summed]


def history(monitor_id: UUID, now: datetime, *, days: int = 90, hours: timedelta = timedelta(days=7)) -> History:
    """Return the daily rollups of the last `days` and the hourly ones of the last `hours`."""
    by_hour = select(HourlyRollup.hour, *(getattr(HourlyRollup, name) for name in _SUMS)).where(
        HourlyRollup.monitor_id == monitor_id, HourlyRollup.hour > now - hours - timedelta(hours=1)
    )
    by_day = select(DailyRollup.day, *(getattr(DailyRollup, name) for name in _SUMS)).where(
        DailyRollup.monitor_id == monitor_id, DailyRollup.day > now.date() - timedelta(days=days)
    )
    return History(
        [Rollup(*row) for row in db.session.execute(by_hour)],
        [Rollup(_midnight(day), *sums) for day, *sums in db.session.execute(by_day)],
        now,
    )


def over_period(monitor_id: UUID, period: str, now: datetime) -> Figures:
    """Return the sums over `period`, reading only the rows that they need."""
    length = PERIODS[period][1]
    by_hour = period in _BY_HOUR
    found = history(monitor_id, now, days=0, hours=length) if by_hour else over_days(monitor_id, length.days, now)
    return found.figures(period)


def over_days(monitor_id: UUID, days: int, now: datetime) -> History:
    """Return the rollups that the sums of the last `days` need."""
    return history(monitor_id, now, days=days, hours=_UNSUMMED + timedelta(days=1))


def incidents(monitor_id: UUID, since: datetime) -> int:
    """Return how many outages began after `since`, or were open at that time."""
    counted = select(func.count()).where(
        Incident.monitor_id == monitor_id, or_(Incident.ended_at.is_(None), Incident.ended_at >= since)
    )
    return db.session.scalar(counted) or 0


def _summed(rows: Iterable[Rollup]) -> Figures:
    figures = Figures()
    for row in rows:
        figures.add(row)
    return figures


def _point(at: datetime, found: Figures | None) -> Point:
    if found is None:
        return Point(at, None)
    return Point(at, found.average, found.percentile(0.95), found.up, found.down, found.error)
