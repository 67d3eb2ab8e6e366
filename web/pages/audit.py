"""The audit trail: who did what in the project, for its administrators."""

from flask import Blueprint, render_template, request
from sqlalchemy import select

from models.tables import AuditEvent
from web import history
from web.extensions import db
from web.pages.access import administrator
from web.pages.paging import paged_rows

blueprint = Blueprint("audit", __name__)
PAGE_SIZE = 50


@blueprint.get("/settings/audit")
def index() -> str:
    """One page of the trail; filters `action` and `objectType`."""
    who = administrator()
    filters = {name: request.args.get(name, "") for name in ("action", "objectType")}
    wanted = {"action": filters["action"] or None, "object_type": filters["objectType"] or None}
    return render_template(
        "settings/audit.html",
        page=paged_rows(history.trail(who.project_id, wanted), PAGE_SIZE),
        filters=filters,
        filtered=any(filters.values()),
        kinds=db.session.scalars(
            select(AuditEvent.object_type)
            .where(AuditEvent.project_id == who.project_id)
            .distinct()
            .order_by(AuditEvent.object_type)
        ).all(),
    )
