"""The table of recent results on a monitor's page: by date and by location, a page at a time, on the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from flask import request
from sqlalchemy import Select, func, select

from models.tables import MonitorResult
from web.extensions import db
from web.pages.paging import Page, wanted_number

PAGE_SIZE = 10
#: A busy monitor has millions of results: beyond this many, "more" is told instead of the exact number.
COUNTED = 10_000
#: Without a date, the table ends here; results are kept longer only where they changed the state.
RECENT_DAYS = 31


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; nonsense counts as nothing asked."""

    day: date | None
    location: str
    status: str

    @property
    def any(self) -> bool:
        return bool(self.day or self.location or self.status)


def filters() -> Filters:
    """The filters of this request."""
    try:
        day = date.fromisoformat(request.args.get("date", ""))
    except ValueError:
        day = None
    # The last day there is has no end that could be written down.
    return Filters(None if day == date.max else day, request.args.get("location", ""), request.args.get("status", ""))


def page(monitor_id: UUID, wanted: Filters, now: datetime) -> Page[MonitorResult]:
    """The newest results first."""
    query = _query(monitor_id, wanted, now)
    counted = query.with_only_columns(MonitorResult.id).limit(COUNTED)
    total = db.session.scalar(select(func.count()).select_from(counted.subquery())) or 0
    number = min(wanted_number(), max(1, -(-total // PAGE_SIZE)))
    newest_first = query.order_by(MonitorResult.scheduled_for.desc(), MonitorResult.location)
    items: Sequence[MonitorResult] = db.session.scalars(
        newest_first.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    ).all()
    return Page(items, number, PAGE_SIZE, total)


def _query(monitor_id: UUID, wanted: Filters, now: datetime) -> Select[MonitorResult]:
    since, until = now - timedelta(days=RECENT_DAYS), now + timedelta(minutes=1)
    if wanted.day:
        since = datetime(wanted.day.year, wanted.day.month, wanted.day.day, tzinfo=UTC)
        until = since + timedelta(days=1)
    # Both ends are given, so that only the days asked for are opened.
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
    """The rows of the newest round."""
    query = _query(monitor_id, Filters(None, "", ""), now)
    rows = db.session.scalars(query.order_by(MonitorResult.scheduled_for.desc()).limit(8)).all()
    return [row for row in rows if row.scheduled_for == rows[0].scheduled_for]
