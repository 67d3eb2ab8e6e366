"""The audit trail of the project or the organisation, for their administrators."""

from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, render_template, request
from sqlalchemy import select

from models.tables import AuditEvent
from web.features.audit import service as audit
from web.features.audit.service import AuditFilter
from web.http.extensions import db
from web.ui.access import administrator
from web.ui.pagination import paged_rows

blueprint = Blueprint("audit", __name__)
PAGE_SIZE = 50
_NAMES = ("action", "objectType", "actor", "text", "since", "until", "scope", "machines")


@blueprint.get("/settings/audit")
def index() -> str:
    """Return one page of the trail with its filters. Events of processes are shown only on request."""
    caller = administrator()
    filters = {name: request.args.get(name, "").strip() for name in _NAMES}
    scope = "organization" if filters["scope"] == "organization" else "project"
    until = _day(filters["until"])
    wanted = AuditFilter(
        scope=scope,
        action=filters["action"] or None,
        object_type=filters["objectType"] or None,
        actor=filters["actor"],
        text=filters["text"],
        since=_day(filters["since"]),
        until=until + timedelta(days=1) if until else None,
        machines=bool(filters["machines"]),
    )
    return render_template(
        "audit/audit.html",
        page=paged_rows(audit.events(caller, wanted), PAGE_SIZE),
        filters=filters,
        filtered=any(value for name, value in filters.items() if name != "scope"),
        scope=scope,
        kinds=db.session.scalars(
            select(AuditEvent.object_type)
            .where(audit.in_scope(caller, scope))
            .distinct()
            .order_by(AuditEvent.object_type)
        ).all(),
    )


def _day(text: str) -> datetime | None:
    """Return the start of a day in UTC, or None if `text` is not a date between 1970 and 9998."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if date(1970, 1, 1) <= day < date(9999, 1, 1) else None
