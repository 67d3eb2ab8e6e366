"""What runs next, how late it is, and how the queues stand."""

from datetime import UTC, datetime
from typing import Any

import redis
from flask import Blueprint, Response, render_template
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from models.tables import Monitor, MonitorState
from web import queue_stats
from web.callers import caller
from web.extensions import redis_client
from web.pages.paging import paged
from web.pages.parts import part

blueprint = Blueprint("schedules", __name__)
PAGE_SIZE = 50
DEAD_LETTERS = 20


@blueprint.get("/schedules")
def index() -> str:
    """Every active schedule of the project, the next due first."""
    query = (
        select(Monitor)
        .join(MonitorState)
        .options(contains_eager(Monitor.state))
        .where(Monitor.project_id == caller().project_id, MonitorState.next_run_at.is_not(None))
        .order_by(MonitorState.next_run_at, Monitor.id)
    )
    return render_template(
        "schedules.html",
        page=paged(query, PAGE_SIZE),
        now=datetime.now(UTC),
        queues=_queues(),
        dead=_dead_letters() if caller().may_organize else [],
    )


@blueprint.get("/schedules/partials/queues")
def queues() -> Response:
    """How the queues stand, renewed every few seconds."""
    caller()
    return part("partials/queues.html", queues=_queues())


def _queues() -> list[dict[str, Any]] | None:
    """The figures of every queue; None if the broker is away."""
    try:
        return queue_stats.measure(redis_client())
    except redis.RedisError:
        return None


def _dead_letters() -> list[queue_stats.DeadLetter]:
    """What the queues gave up on lately; nothing where the broker is away, which the queues' own table shows."""
    try:
        return queue_stats.dead_letters(redis_client(), DEAD_LETTERS)
    except redis.RedisError:
        return []
