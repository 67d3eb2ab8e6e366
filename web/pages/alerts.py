"""The alert history: what was told about which monitor, to whom, and whether it arrived."""

from typing import Any

from flask import Blueprint, Response, render_template, request

from web import history
from web.callers import Caller, caller
from web.pages.monitor import find
from web.pages.paging import paged
from web.pages.parts import part
from web.pages.wording import ALERTS

blueprint = Blueprint("alerts", __name__)
PAGE_SIZE = 25
STATUSES = ("sent", "failed", "pending", "suppressed")


@blueprint.get("/alerts")
def index() -> str:
    """One page of the history; filters `monitorId`, `type` and `status`, as the API has them."""
    return render_template("alerts.html", **_content(caller()))


@blueprint.get("/alerts/partials/list")
def partial() -> Response:
    """The part that live updates renew, filters kept."""
    return part("partials/alerts.html", **_content(caller()))


def _content(who: Caller) -> dict[str, Any]:
    filters = {name: request.args.get(name, "") for name in ("monitorId", "type", "status")}
    monitor = find(who, filters["monitorId"]) if filters["monitorId"] else None
    page = paged(
        history.alerts(
            who.project_id,
            monitor_id=monitor.id if monitor else None,
            kind=filters["type"],
            status=filters["status"],
        ),
        PAGE_SIZE,
    )
    return {
        "page": page,
        "incident_ids": history.incident_ids(page.items),
        "filters": filters,
        "filtered": any(filters.values()),
        "monitor": monitor,
        "types": {word: look[0] for word, look in ALERTS.items() if word != "test"},
        "statuses": STATUSES,
    }
