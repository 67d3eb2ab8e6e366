"""Actions on one or many monitors: check now, pause, resume, mute, send a test alert, delete."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.tables import Monitor
from web.api.schema import validate
from web.features.monitors import bulk
from web.features.monitors import service as monitors
from web.features.monitors.detail_pages import find
from web.features.monitors.schemas import BulkIn
from web.http import transaction
from web.http.auth import Caller
from web.http.errors import Problem
from web.http.extensions import db
from web.ui.access import editor, id_of
from web.ui.pagination import with_query

blueprint = Blueprint("monitor_actions", __name__)
_MAX_SELECTED = 1000
_LONGEST_MUTE_HOURS = 24 * 90
#: A number with more digits is longer than any mute.
_DIGITS = 9
#: Action -> the message about the monitors for which it succeeded, and for which it failed.
_DONE = {
    "run": "Started a check of {monitors}.",
    "pause": "Paused {monitors}.",
    "resume": "Resumed {monitors}.",
    "addTag": "Added tag {tag} to {monitors}.",
    "removeTag": "Removed tag {tag} from {monitors}.",
}
_FAILED = {
    "run": "Could not check {monitors}",
    "pause": "Could not pause {monitors}",
    "resume": "Could not resume {monitors}",
    "addTag": "Could not add tag {tag} to {monitors}",
    "removeTag": "Could not remove tag {tag} from {monitors}",
}


@blueprint.post("/monitors/<monitor_id>/run")
def run(monitor_id: str) -> Response:
    """Check now."""
    caller = editor()
    return _do(caller, monitor_id, lambda one: monitors.run_now(caller, one), "Check started.")


@blueprint.post("/monitors/<monitor_id>/switch")
def switch(monitor_id: str) -> Response:
    """Pause or resume a monitor."""
    caller = editor()
    enabled = request.form.get("enabled") == "true"
    said = "Monitor resumed." if enabled else "Monitor paused. Checks and alerts are off until you resume it."
    return _do(caller, monitor_id, lambda one: monitors.switch(caller, one, enabled=enabled), said)


@blueprint.post("/monitors/<monitor_id>/mute")
def mute(monitor_id: str) -> Response:
    """Mute the alerts for some hours; 0 unmutes them."""
    caller = editor()
    text = request.form.get("hours", "")
    if not (text.isascii() and text.isdigit()):
        raise Problem(400, "Enter a whole number of hours. 0 unmutes alerts.")
    hours = int(text) if len(text) <= _DIGITS else _LONGEST_MUTE_HOURS
    hours = min(hours, _LONGEST_MUTE_HOURS)
    until = (datetime.now(UTC) + timedelta(hours=hours)).isoformat() if hours else None
    said = "Alerts muted. Checks continue." if hours else "Alerts unmuted."
    return _do(caller, monitor_id, lambda one: monitors.change(caller, one, {"mutedUntil": until}), said)


@blueprint.post("/monitors/<monitor_id>/notify")
def notify(monitor_id: str) -> Response:
    """Send a test alert to the monitor's providers."""
    from web.features.alerts.service import notify as send_alert

    caller = editor()
    found = find(caller, monitor_id)
    if not found.providers:
        flash("This monitor has no notification channel. Edit it to choose one.", "warning")
        return _back(monitor_id)
    text = "This is a test alert, sent manually."
    return _do(
        caller,
        monitor_id,
        lambda one: send_alert(caller, one, "down", text),
        "Test alert queued. See Alerts for the result.",
    )


@blueprint.post("/monitors/bulk")
def many() -> Response:
    """Apply one action to all selected monitors."""
    caller = editor()
    ids = [id_of(text, "monitor") for text in request.form.getlist("ids")[:_MAX_SELECTED]]
    action = request.form.get("action", "")
    tag = request.form.get("tag_text", "").strip()
    back = redirect(with_query(url_for("pages.monitors.index")), 303)
    if not ids:
        flash("Select monitors first.", "warning")
        return back
    if action == "delete":
        return redirect(url_for("pages.monitor_actions.confirm_delete", ids=",".join(map(str, ids))), 303)
    if action == "enter":  # the Enter key in the form, not one of its buttons
        if not tag:
            flash("Choose an action for the selected monitors.", "warning")
            return back
        action = "addTag"
    _bulk(caller, ids, action, tag)
    return back


@blueprint.get("/monitors/delete")
def confirm_delete() -> str:
    """Return the page that asks for confirmation."""
    return render_template(
        "monitors/monitor_delete.html", monitors=_selected(editor(), request.args.get("ids", "").split(","))
    )


@blueprint.post("/monitors/delete")
def delete() -> Response:
    """Delete the confirmed monitors."""
    caller = editor()
    found = _selected(caller, request.form.getlist("ids"))
    for monitor in found:
        monitors.delete(caller, monitor.id)
    transaction.commit()
    flash(f"{found[0].name} was deleted." if len(found) == 1 else f"Deleted {len(found)} monitors.", "good")
    return redirect(url_for("pages.monitors.index"), 303)


def _selected(caller: Caller, texts: list[str]) -> list[Monitor]:
    """Return the project's monitors with these ids, by name. Raise a 404 `Problem` if there is none."""
    ids = [id_of(text, "monitor") for text in texts[:_MAX_SELECTED] if text]
    query = select(Monitor).where(Monitor.id.in_(ids), Monitor.project_id == caller.project_id).order_by(Monitor.name)
    found = list(db.session.scalars(query))
    if not found:
        raise Problem(404, "There is no such monitor.")
    return found


def _back(monitor_id: str) -> Response:
    return redirect(url_for("pages.monitor.index", monitor_id=monitor_id), 303)


def _do(caller: Caller, monitor_id: str, act: Callable[[UUID], object], said: str) -> Response:
    """Apply `act` to one monitor, flash `said` or the error, and redirect to the monitor's page."""
    found = find(caller, monitor_id)
    try:
        act(found.id)
        transaction.commit()
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        db.session.rollback()
        flash(" ".join([problem.message, *problem.fields.values()]), "bad")
    else:
        flash(said, "good")
    return _back(monitor_id)


def _bulk(caller: Caller, ids: list[UUID], action: str, tag: str) -> None:
    """Apply the action to each monitor, and flash the outcome."""
    wanted = {"ids": [str(monitor_id) for monitor_id in ids], "action": action}
    if action.endswith("Tag"):
        wanted["tag"] = tag
    try:
        outcome = bulk.apply(caller, validate(BulkIn, wanted))
        transaction.commit()
    except Problem as problem:
        db.session.rollback()
        flash(" ".join(problem.fields.values()) or problem.message, "bad")
        return
    if outcome.done:
        flash(_DONE[action].format(tag=tag, monitors=_monitors(len(outcome.done))), "good")
    if outcome.failed:
        left_out = _FAILED[action].format(tag=tag, monitors=_monitors(len(outcome.failed)))
        flash(f"{left_out}: {next(iter(outcome.failed.values()))}", "bad")


def _monitors(count: int) -> str:
    return f"{count} {'monitor' if count == 1 else 'monitors'}"
