"""The page of failed deliveries, with a retry for each."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from web.features.failed_deliveries import service as deliveries
from web.http import transaction
from web.http.auth import current_caller
from web.http.errors import Problem
from web.ui.access import editor, id_of
from web.ui.pagination import paged

blueprint = Blueprint("failed_deliveries", __name__)
PAGE_SIZE = 25


@blueprint.get("/alerts/undelivered")
def index() -> str:
    """Return one page of permanently failed deliveries, newest first."""
    return render_template(
        "failed_deliveries/undelivered.html", page=paged(deliveries.failed(current_caller().project_id), PAGE_SIZE)
    )


@blueprint.post("/alerts/deliveries/<delivery_id>/retry")
def retry(delivery_id: str) -> Response:
    """Retry one of them from the first attempt."""
    caller = editor()
    try:
        name = deliveries.retry(caller, id_of(delivery_id, "delivery")).provider_name
        transaction.commit()
        flash(f"Retrying the message to {name}. See Alerts for the result.", "good")
    except Problem as problem:
        if problem.status != 409:
            raise
        flash(problem.message, "warning")
    return redirect(url_for("pages.failed_deliveries.index"), 303)
