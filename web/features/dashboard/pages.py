"""The dashboard: the number of monitors by state, those that need attention, and the latest alerts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from models.tables import Alert, Monitor, MonitorState, OperatorWarning
from web.features.monitors import listing
from web.features.notification_providers import recipients
from web.http.auth import Caller, current_caller
from web.http.extensions import db
from web.ui.parts import part

blueprint = Blueprint("dashboard", __name__)
#: Monitors shown per state. The list of monitors shows more.
_TROUBLED = 25
_ALERTS = 8
_WARNINGS = 10
#: Outages that began within this time are in a group above the older ones.
_RECENT = timedelta(hours=1)


@blueprint.get("/")
def index() -> str:
    """Return the whole page."""
    return render_template("dashboard/dashboard.html", **_content(current_caller()))


@blueprint.get("/partials/dashboard")
def partial() -> Response:
    """Return the part that live updates fetch."""
    return part("dashboard/_dashboard.html", **_content(current_caller()))


def _content(caller: Caller) -> dict[str, Any]:
    now = datetime.now(UTC)
    totals = listing.totals(caller.project_id)
    down = _newest_first(caller, "down", MonitorState.down_since)
    unchecked = _newest_first(caller, "error", MonitorState.last_status_change_at)
    maintained = _newest_first(caller, listing.DOWN_IN_MAINTENANCE, MonitorState.down_since)
    return {
        "totals": totals,
        "total": sum(totals.values()),
        "troubled": _groups(listing.rows([*down, *unchecked, *maintained], now), now),
        "troubled_count": len(down) + len(unchecked),
        "down_in_maintenance": listing.count_down_in_maintenance(caller.project_id) if maintained else 0,
        "unheard": recipients.count(caller.project_id, recipients.has_no_recipient()),
        "alerts": _recent_alerts(caller),
        "warnings": _warnings() if caller.can_manage_organization else [],
        "beat_count": listing.BEATS,
        "now": now,
    }


def _newest_first(caller: Caller, status: str, since: Any) -> list[Monitor]:
    """Return the monitors with the shown status `status`, the latest change first and unknown times last."""
    query = listing.query(caller.project_id, {"status": status}).order_by(None)
    newest = query.order_by(since.desc().nulls_last(), func.lower(Monitor.name), Monitor.id)
    return list(db.session.scalars(newest.limit(_TROUBLED)))


def _groups(rows: list[listing.Row], now: datetime) -> list[tuple[str, str, list[listing.Row]]]:
    """Return (key, title, rows) of each group that is not empty: outages of the last hour, older ones, monitors whose
    check failed, monitors that are down in maintenance.
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


def _recent_alerts(caller: Caller) -> list[Alert]:
    query = (
        select(Alert)
        .where(Alert.project_id == caller.project_id)
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
