"""The page of deliveries that failed permanently, and why; each can be retried."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from web.features.failed_deliveries import service
from web.http import transaction
from web.http.auth import caller
from web.http.errors import Problem
from web.ui.access import editor, id_of
from web.ui.pagination import paged

blueprint = Blueprint("failed_deliveries", __name__)
PAGE_SIZE = 25


@blueprint.get("/alerts/undelivered")
def index() -> str:
    """Show failed deliveries, the newest first."""
    return render_template("undelivered.html", page=paged(service.failed(caller().project_id), PAGE_SIZE))


@blueprint.post("/alerts/deliveries/<delivery_id>/retry")
def retry(delivery_id: str) -> Response:
    """Retry one delivery and return to the list."""
    who = editor()
    try:
        delivery = service.retry(who, id_of(delivery_id, "delivery"))
        name = delivery.provider_name
        transaction.commit()
        flash(f"The delivery to {name} is being retried. Alerts shows the result.", "good")
    except Problem as problem:
        if problem.status != 409:
            raise
        flash(problem.message, "warning")
    return redirect(url_for("pages.failed_deliveries.index"), 303)
