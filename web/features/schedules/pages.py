"""The schedules: what runs next, and what is late."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import contains_eager

from models.tables import Monitor, MonitorState
from web.features.monitors.search import mentions
from web.http.auth import current_caller
from web.http.extensions import db
from web.ui.pagination import paged

blueprint = Blueprint("schedules", __name__)
PAGE_SIZE = 50
#: A check that is due for longer than this is late. The scheduler looks for due checks every second.
LATE_AFTER = timedelta(seconds=5)
#: `?sort=` -> its name; the first is the default.
SORTS = {"late": "Late first", "next": "Next run", "name": "Name", "last": "Longest without a run"}


@blueprint.get("/schedules")
def index() -> str:
    """Return every active schedule of the project. Arguments: `q`, `show=late` and `sort`."""
    now = datetime.now(UTC)
    filters = {name: request.args.get(name, "") for name in ("q", "show", "sort")}
    query = (
        select(Monitor)
        .join(MonitorState)
        .options(contains_eager(Monitor.state))
        .where(Monitor.project_id == current_caller().project_id, MonitorState.next_run_at.is_not(None))
    )
    late = query.where(_is_late(now)).with_only_columns(func.count(), maintain_column_froms=True)
    late_count = db.session.scalar(late.options()) or 0
    if words := filters["q"].strip():
        query = query.where(mentions(words))
    if filters["show"] == "late":
        query = query.where(_is_late(now))
    return render_template(
        "schedules/schedules.html",
        page=paged(query.order_by(*_order(filters["sort"], now), Monitor.id), PAGE_SIZE),
        filters=filters,
        filtered=bool(filters["q"] or filters["show"]),
        sorts=SORTS,
        late_count=late_count,
        lateness=lambda monitor: _lateness(monitor.state, now),
    )


def _is_late(now: datetime) -> ColumnElement[bool]:
    return and_(MonitorState.next_run_at < now - LATE_AFTER, MonitorState.open_scheduled_for.is_(None))


def _lateness(state: MonitorState, now: datetime) -> float:
    """Return how many seconds the next run is overdue; 0 if it is on time or its round is running."""
    if state.next_run_at is None or state.open_scheduled_for is not None:
        return 0.0
    overdue = now - state.next_run_at
    return overdue.total_seconds() if overdue > LATE_AFTER else 0.0


def _order(sort: str, now: datetime) -> tuple[Any, ...]:
    orders: dict[str, tuple[Any, ...]] = {
        "next": (MonitorState.next_run_at,),
        "name": (func.lower(Monitor.name),),
        "last": (MonitorState.last_run_at.nulls_first(),),
    }
    return orders.get(sort, (_is_late(now).desc(), MonitorState.next_run_at))
