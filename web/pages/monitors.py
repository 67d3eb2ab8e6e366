"""The list of monitors: search, filters, and what is done to many at once."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, render_template, request

from models.tables import Monitor
from web.callers import caller
from web.extensions import db
from web.pages import listing
from web.pages.paging import paged
from web.pages.wording import STATES, TYPES

blueprint = Blueprint("monitors", __name__)
PAGE_SIZE = 50
FILTERS = ("q", "type", "status", "tag")


@blueprint.get("/monitors")
def index() -> str:
    """One page of the list."""
    who = caller()
    filters = {name: request.args.get(name, "") for name in FILTERS}
    page = paged(listing.query(who.project_id, filters), PAGE_SIZE)
    return render_template(
        "monitors.html",
        page=page,
        rows=listing.rows(page.items, datetime.now(UTC)),
        filters=filters,
        filtered=any(filters.values()),
        tags=listing.tags(who.project_id),
        types=TYPES,
        statuses=STATES,
        beat_count=listing.BEATS,
    )


@blueprint.get("/monitors/partials/rows")
def rows() -> str:
    """The lines of the monitors in `?ids=`, for live updates; ids that are not the project's are passed over."""
    wanted = []
    for text in request.args.get("ids", "").split(",")[:PAGE_SIZE]:
        try:
            wanted.append(UUID(text))
        except ValueError:
            continue
    query = listing.query(caller().project_id, {}).where(Monitor.id.in_(wanted))
    found = db.session.scalars(query).unique().all()
    return render_template(
        "partials/monitor_rows.html", rows=listing.rows(found, datetime.now(UTC)), beat_count=listing.BEATS
    )
