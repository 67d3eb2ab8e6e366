"""A monitor's figures over a period, out of the rollups: never out of raw results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Subquery, cast, exists, func, literal, or_, select, union_all

from models import histogram
from models.tables import DailyRollup, HourlyRollup, Incident
from web.extensions import db

#: Up to a week, the hours themselves are summed; beyond, whole days and the hours of those not summed yet.
_HOURS = {"24h": 24, "7d": 7 * 24}
_DAYS = {"30d": 30, "90d": 90}
#: Yesterday's hours may wait a while for their daily sum.
_UNSUMMED_DAYS = 2


@dataclass(frozen=True, slots=True)
class Sums:
    """What one location measured in a period; `''` is where pings are counted. Times are milliseconds, of good checks."""

    location: str
    up: int
    down: int
    error: int
    responses: int
    response_sum: float
    response_min: float | None
    response_max: float | None
    histogram: Sequence[int] | None

    @property
    def uptime(self) -> float | None:
        """Percent of what was measured; errors are ours and count for nothing."""
        measured = self.up + self.down
        return round(100 * self.up / measured, 4) if measured else None

    @property
    def average(self) -> float | None:
        """The mean response time."""
        return round(self.response_sum / self.responses, 2) if self.responses else None

    def percentile(self, fraction: float) -> float | None:
        """The response time that `fraction` of the good checks stayed below."""
        found = histogram.percentile(self.histogram or (), fraction)
        return None if found is None else round(found, 2)


def start_of(period: str, now: datetime) -> datetime:
    """When `period` (24h, 7d, 30d, 90d) begins: it ends with the present hour or day, begun as they are."""
    if period in _HOURS:
        return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=_HOURS[period] - 1)
    return _midnight(now) - timedelta(days=_DAYS[period] - 1)


def over_period(monitor_id: UUID, period: str, now: datetime) -> Sums:
    """All locations together."""
    if period in _HOURS:
        rows = _hours(monitor_id, HourlyRollup.hour >= start_of(period, now)).subquery()
    else:
        rows = _days(monitor_id, _DAYS[period], now)
    return _summed(rows)[0]


def by_location(monitor_id: UUID, days: int, now: datetime) -> list[Sums]:
    """The last `days` days, today included, by location."""
    return _summed(_days(monitor_id, days, now), by_location=True)


def incidents(monitor_id: UUID, since: datetime) -> int:
    """How many outages began after `since` or lasted into that time."""
    counted = select(func.count()).where(
        Incident.monitor_id == monitor_id, or_(Incident.ended_at.is_(None), Incident.ended_at >= since)
    )
    return db.session.scalar(counted) or 0


_COLUMNS = ("location", "up", "down", "error", "response_count", "response_sum", "response_min", "response_max")


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.date(), time(), UTC)


def _hours(monitor_id: UUID, *conditions: ColumnElement[bool]):  # type: ignore[no-untyped-def] # SQLAlchemy's row type
    columns = [getattr(HourlyRollup, name) for name in (*_COLUMNS, "histogram")]
    return select(*columns).where(HourlyRollup.monitor_id == monitor_id, *conditions)


def _days(monitor_id: UUID, days: int, now: datetime) -> Subquery:
    """Whole days before today, and the hours of today and of days that have no daily sum yet."""
    today, first = now.date(), now.date() - timedelta(days=days - 1)
    day_of_hour = cast(func.timezone("UTC", HourlyRollup.hour), Date)
    summed = exists().where(
        DailyRollup.monitor_id == monitor_id, DailyRollup.day == day_of_hour, DailyRollup.day < today
    )
    since = max(_midnight(now) - timedelta(days=_UNSUMMED_DAYS), datetime.combine(first, time(), UTC))
    columns = [getattr(DailyRollup, name) for name in (*_COLUMNS, "histogram")]
    whole = select(*columns).where(
        DailyRollup.monitor_id == monitor_id, DailyRollup.day >= first, DailyRollup.day < today
    )
    return union_all(whole, _hours(monitor_id, HourlyRollup.hour >= since, ~summed)).subquery()


def _summed(rows: Subquery, *, by_location: bool = False) -> list[Sums]:
    """The rows added up, by location or all together."""
    column = rows.c
    location = column.location if by_location else literal("")
    query = select(
        location,
        func.coalesce(func.sum(column.up), 0),
        func.coalesce(func.sum(column.down), 0),
        func.coalesce(func.sum(column.error), 0),
        func.coalesce(func.sum(column.response_count), 0),
        func.coalesce(func.sum(column.response_sum), 0.0),
        func.min(column.response_min),
        func.max(column.response_max),
        func.histogram_sum(column.histogram),
    )
    if by_location:
        query = query.group_by(location).order_by(location)
    return [Sums(*row) for row in db.session.execute(query)]
