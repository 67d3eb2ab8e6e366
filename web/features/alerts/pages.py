"""The alert history: alerts, their channels, and whether they were delivered."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request
from sqlalchemy import func, select

from models.tables import Monitor, NotificationProvider
from web.features.alerts import history
from web.features.alerts.history import AlertFilter
from web.features.monitors.detail_pages import find
from web.http.auth import Caller, current_caller
from web.http.extensions import db
from web.ui.access import uuid_or_none
from web.ui.labels import ALERTS
from web.ui.pagination import midnight, paged
from web.ui.parts import part

blueprint = Blueprint("alerts", __name__)
PAGE_SIZE = 25
STATUSES = ("sent", "failed", "pending", "suppressed")
FILTERS = ("monitorId", "type", "status", "q", "providerId", "from", "to")
#: A value of the filter `status`: alerts of which a delivery failed.
UNDELIVERED = "undelivered"


@blueprint.get("/alerts")
def index() -> str:
    """Return one page of the history. Arguments are `FILTERS`; `from` and `to` are days in UTC."""
    return render_template("alerts/alerts.html", **_content(current_caller()))


@blueprint.get("/alerts/partials/list")
def partial() -> Response:
    """Return the part that live updates fetch, with the same filters."""
    return part("alerts/_alerts.html", **_content(current_caller()))


def _content(caller: Caller) -> dict[str, Any]:
    filters = {name: request.args.get(name, "") for name in FILTERS}
    monitor = find(caller, filters["monitorId"]) if filters["monitorId"] else None
    page = paged(
        history.alerts(caller.project_id, _wanted(filters, monitor)),
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
        "providers": _providers(caller),
    }


def _wanted(filters: Mapping[str, str], monitor: Monitor | None) -> AlertFilter:
    last_day = midnight(filters["to"])
    undelivered = filters["status"] == UNDELIVERED
    return AlertFilter(
        monitor_id=monitor.id if monitor else None,
        kind=filters["type"],
        status="" if undelivered else filters["status"],
        words=filters["q"],
        provider_id=uuid_or_none(filters["providerId"]),
        since=midnight(filters["from"]),
        until=last_day + timedelta(days=1) if last_day else None,
        undelivered=undelivered,
        without_limit=True,
    )


def _providers(caller: Caller) -> list[tuple[str, str]]:
    query = select(NotificationProvider.id, NotificationProvider.name)
    own = query.where(NotificationProvider.project_id == caller.project_id)
    rows = db.session.execute(own.order_by(func.lower(NotificationProvider.name)))
    return [(str(row.id), row.name) for row in rows]
