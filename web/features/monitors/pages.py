"""The list of monitors, with search, filters and bulk actions."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request

from models.tables import Monitor
from web.features.monitors import listing
from web.http.auth import Caller, current_caller
from web.http.extensions import db
from web.ui.labels import STATES, TYPES
from web.ui.pagination import paged
from web.ui.parts import part

blueprint = Blueprint("monitors", __name__)
PAGE_SIZE = 50
FILTERS = ("q", "type", "status", "tag", "notifies", "notifiesOnly")


@blueprint.get("/monitors")
def index() -> str:
    """Return one page of the list."""
    caller = current_caller()
    return render_template(
        "monitors/monitors.html",
        **_list(caller),
        tags=listing.tags(caller.project_id),
        types=TYPES,
        statuses=STATES,
    )


@blueprint.get("/monitors/partials/list")
def partial() -> Response:
    """Return the rows of one page with its pager, for a page whose list has changed."""
    return part("monitors/_monitor_list.html", **_list(current_caller()))


@blueprint.get("/monitors/partials/set")
def members() -> Response:
    """Return which monitors this page of the list has now, with the counts of its head."""
    caller = current_caller()
    page = paged(listing.ids(caller.project_id, _filters()), PAGE_SIZE)
    return part(
        "monitors/_monitor_set.html",
        page=page,
        totals=listing.totals(caller.project_id),
        filtered=any(_filters().values()),
    )


def _filters() -> dict[str, str]:
    return {name: request.args.get(name, "") for name in FILTERS}


def _list(caller: Caller) -> dict[str, Any]:
    filters = _filters()
    page = paged(listing.query(caller.project_id, filters), PAGE_SIZE)
    return {
        "page": page,
        "rows": listing.rows(page.items, datetime.now(UTC)),
        "filters": filters,
        "filtered": any(filters.values()),
        "totals": listing.totals(caller.project_id),
        "beat_count": listing.BEATS,
    }


@blueprint.get("/monitors/partials/rows")
def rows() -> Response:
    """Return the rows of the monitors in `?ids=`, for live updates. Ids of other projects are ignored."""
    wanted = []
    for text in request.args.get("ids", "").split(",")[:PAGE_SIZE]:
        try:
            wanted.append(UUID(text))
        except ValueError:
            continue
    query = listing.query(current_caller().project_id, {}).where(Monitor.id.in_(wanted))
    found = db.session.scalars(query).unique().all()
    return part("monitors/_monitor_rows.html", rows=listing.rows(found, datetime.now(UTC)), beat_count=listing.BEATS)
