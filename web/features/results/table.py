"""The table of recent results on a monitor's page, filtered and paged on the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from flask import request
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_

from models.rules.round_ids import from_micros, to_micros
from models.tables import MonitorResult
from web.http.extensions import db

#: The sizes of a page; the first is the default.
SIZES = (10, 25, 50, 100)
#: A monitor may have millions of results, so they are not counted beyond this number.
MAX_COUNT = 10_000
#: Without a date, the table ends here. Only results that changed the state are stored for longer.
RECENT_DAYS = 31


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters in the address. Invalid values are ignored."""

    day: date | None
    location: str
    status: str

    @property
    def any(self) -> bool:
        return bool(self.day or self.location or self.status)


def filters() -> Filters:
    """Return the filters of this request."""
    try:
        day = date.fromisoformat(request.args.get("date", ""))
    except ValueError:
        day = None
    # The day after `date.max` cannot be represented.
    return Filters(None if day == date.max else day, request.args.get("location", ""), request.args.get("status", ""))


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the table: that of one result. A page that begins at a cursor stays the same while new results come."""

    at: datetime
    location: str
    id: UUID

    @classmethod
    def of(cls, row: MonitorResult) -> "Cursor":
        return cls(row.scheduled_for, row.location or "", row.id)

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """The cursor in an address; None for nonsense."""
        try:
            micros, location, row_id = text.split(".")
            return cls(from_micros(int(micros)), location, UUID(row_id))
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        return f"{to_micros(self.at)}.{self.location}.{self.id}"


@dataclass(frozen=True, slots=True)
class Results:
    """One page, the newest first. `total` is counted up to `MAX_COUNT`; `older` and `newer` are where to go on."""

    items: Sequence[MonitorResult]
    total: int
    size: int
    older: Cursor | None
    newer: Cursor | None


def page(monitor_id: UUID, wanted: Filters, now: datetime) -> Results:
    """Return the latest results, or those `?before=` or `?after=` a cursor."""
    query = _query(monitor_id, wanted, now)
    counted = query.with_only_columns(MonitorResult.id).limit(MAX_COUNT)
    total = db.session.scalar(select(func.count()).select_from(counted.subquery())) or 0
    size = wanted_size()
    before, after = Cursor.read(request.args.get("before", "")), Cursor.read(request.args.get("after", ""))
    if after is not None:
        rows = _rows(query.where(_newer_than(after)), size, newest_first=False)
        if len(rows) > size:
            return Results(rows[1:], total, size, Cursor.of(rows[-1]), Cursor.of(rows[1]))
        before = None  # the results fit on the first page
    if before is not None:
        query = query.where(_older_than(before))
    rows = _rows(query, size, newest_first=True)
    older = Cursor.of(rows[size - 1]) if len(rows) > size else None
    return Results(rows[:size], total, size, older, Cursor.of(rows[0]) if before and rows else None)


def wanted_size() -> int:
    """Return `?rows=` of this request if it is one of `SIZES`, else the default."""
    text = request.args.get("rows", "")
    return int(text) if text in map(str, SIZES) else SIZES[0]


_LOCATION = func.coalesce(MonitorResult.location, "")


def _older_than(cursor: Cursor) -> ColumnElement[bool]:
    beside = tuple_(_LOCATION, MonitorResult.id) > (cursor.location, cursor.id)
    # The plain comparison comes first: PostgreSQL uses it to select the partitions.
    return and_(MonitorResult.scheduled_for <= cursor.at, or_(MonitorResult.scheduled_for < cursor.at, beside))


def _newer_than(cursor: Cursor) -> ColumnElement[bool]:
    beside = tuple_(_LOCATION, MonitorResult.id) < (cursor.location, cursor.id)
    return and_(MonitorResult.scheduled_for >= cursor.at, or_(MonitorResult.scheduled_for > cursor.at, beside))


def _rows(query: Select[MonitorResult], size: int, *, newest_first: bool) -> list[MonitorResult]:
    """Return up to `size` + 1 rows from one end, newest first. The extra row shows that there are more."""
    at, location, row_id = MonitorResult.scheduled_for, _LOCATION, MonitorResult.id
    order = (at.desc(), location, row_id) if newest_first else (at, location.desc(), row_id.desc())
    rows = list(db.session.scalars(query.order_by(*order).limit(size + 1)))
    return rows if newest_first else rows[::-1]


def _query(monitor_id: UUID, wanted: Filters, now: datetime) -> Select[MonitorResult]:
    since, until = now - timedelta(days=RECENT_DAYS), now + timedelta(minutes=1)
    if wanted.day:
        since = datetime(wanted.day.year, wanted.day.month, wanted.day.day, tzinfo=UTC)
        until = since + timedelta(days=1)
    # Both limits, so that PostgreSQL reads only the partitions of these days.
    query = select(MonitorResult).where(
        MonitorResult.monitor_id == monitor_id,
        MonitorResult.scheduled_for >= since,
        MonitorResult.scheduled_for < until,
    )
    if wanted.location:
        query = query.where(MonitorResult.location == wanted.location)
    if wanted.status:
        query = query.where(MonitorResult.status == wanted.status)
    return query


def newest(monitor_id: UUID, now: datetime) -> list[MonitorResult]:
    """Return the rows of the latest round."""
    query = _query(monitor_id, Filters(None, "", ""), now)
    rows = db.session.scalars(query.order_by(MonitorResult.scheduled_for.desc()).limit(8)).all()
    return [row for row in rows if row.scheduled_for == rows[0].scheduled_for]
