"""The dashboard: the number of monitors by state, those that need attention, and the latest alerts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from models.tables import Alert, Monitor, MonitorState, OperatorWarning
from web.features.monitors import listing
from web.features.notification_providers import recipients
from web.http.auth import Caller, caller
from web.http.extensions import db
from web.ui.parts import part

blueprint = Blueprint("dashboard", __name__)
#: Beyond these the list of monitors is the better place.
_TROUBLED = 25
_ALERTS = 8
_WARNINGS = 10
#: An outage that began within this time stands in a group of its own, above the older ones.
_RECENT = timedelta(hours=1)


@blueprint.get("/")
def index() -> str:
    """The whole page."""
    return render_template("dashboard.html", **_content(caller()))


@blueprint.get("/partials/dashboard")
def partial() -> Response:
    """The part that live updates renew."""
    return part("partials/dashboard.html", **_content(caller()))


def _content(who: Caller) -> dict[str, Any]:
    now = datetime.now(UTC)
    totals = listing.totals(who.project_id)
    down = _newest_first(who, "down", MonitorState.down_since)
    unchecked = _newest_first(who, "error", MonitorState.last_status_change_at)
    maintained = _newest_first(who, listing.DOWN_IN_MAINTENANCE, MonitorState.down_since)
    return {
        "totals": totals,
        "total": sum(totals.values()),
        "troubled": _groups(listing.rows([*down, *unchecked, *maintained], now), now),
        "troubled_count": len(down) + len(unchecked),
        "down_in_maintenance": listing.count_down_in_maintenance(who.project_id) if maintained else 0,
        "unheard": recipients.count(who.project_id, recipients.notifies_nobody()),
        "alerts": _recent_alerts(who),
        "warnings": _warnings() if who.may_organize else [],
        "beat_count": listing.BEATS,
        "now": now,
    }


def _newest_first(who: Caller, status: str, since: Any) -> list[Monitor]:
    """The monitors in that shown status; those of which it is not known since when come last."""
    query = listing.query(who.project_id, {"status": status}).order_by(None)
    newest = query.order_by(since.desc().nulls_last(), func.lower(Monitor.name), Monitor.id)
    return list(db.session.scalars(newest.limit(_TROUBLED)))


def _groups(rows: list[listing.Row], now: datetime) -> list[tuple[str, str, list[listing.Row]]]:
    """(key, title, lines): outages of the last hour, older ones, monitors that are not checked,
    monitors that are down in maintenance; empty groups left out.
    """
    recent, older, unchecked, maintained = [], [], [], []
    for row in rows:
        if row.status == "maintenance":
            maintained.append(row)
        elif row.status != "down":
            unchecked.append(row)
        elif row.state.down_since is not None and now - row.state.down_since < _RECENT:
            recent.append(row)
        else:
            older.append(row)
    groups = (
        ("recent", "New in the last hour", recent),
        ("older", "Down for more than an hour", older),
        ("unchecked", "Check failed", unchecked),
        ("maintained", "Down, in maintenance", maintained),
    )
    return [group for group in groups if group[2]]


def _recent_alerts(who: Caller) -> list[Alert]:
    query = (
        select(Alert)
        .where(Alert.project_id == who.project_id)
        .order_by(Alert.created_at.desc(), Alert.id.desc())
        .options(selectinload(Alert.deliveries))
        .limit(_ALERTS)
    )
    return list(db.session.scalars(query))


def _warnings() -> list[OperatorWarning]:
    query = (
        select(OperatorWarning)
        .where(OperatorWarning.resolved_at.is_(None))
        .order_by(OperatorWarning.first_seen_at.desc())
        .limit(_WARNINGS)
    )
    return list(db.session.scalars(query))
