"""The dashboard: how everything stands, what is down and why, what was told to whom."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, render_template
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models.tables import Alert, OperatorWarning
from web.callers import Caller, caller
from web.extensions import db
from web.pages import listing

blueprint = Blueprint("dashboard", __name__)
#: Beyond these the list of monitors is the better place.
_TROUBLED = 25
_ALERTS = 8
_WARNINGS = 10


@blueprint.get("/")
def index() -> str:
    """The whole page."""
    return render_template("dashboard.html", **_content(caller()))


@blueprint.get("/partials/dashboard")
def partial() -> str:
    """The part that live updates renew."""
    return render_template("partials/dashboard.html", **_content(caller()))


def _content(who: Caller) -> dict[str, Any]:
    now = datetime.now(UTC)
    totals = listing.totals(who.project_id)
    down = db.session.scalars(listing.query(who.project_id, {"status": "down"}).limit(_TROUBLED)).all()
    unchecked = db.session.scalars(listing.query(who.project_id, {"status": "error"}).limit(_TROUBLED)).all()
    return {
        "totals": totals,
        "total": sum(totals.values()),
        "troubled": listing.rows([*down, *unchecked], now),
        "alerts": _recent_alerts(who),
        "warnings": _warnings() if who.may_organize else [],
        "beat_count": listing.BEATS,
        "now": now,
    }


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
