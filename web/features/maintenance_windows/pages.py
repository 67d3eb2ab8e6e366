"""Maintenance windows: planned, begun and ended by hand, changed and deleted."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response
from wtforms.form import BaseForm

from models.tables import MaintenanceWindow
from web.features.maintenance_windows import forms as window_form
from web.features.maintenance_windows import labels as window_wording
from web.features.maintenance_windows import monitor_choice
from web.features.maintenance_windows import scope as window_scope
from web.features.maintenance_windows import service as maintenance
from web.features.monitors import listing
from web.features.monitors.detail_pages import find as find_monitor
from web.http import transaction
from web.http.auth import Caller, current_caller
from web.http.errors import Problem
from web.http.extensions import db
from web.ui import form_token, versions
from web.ui.access import editor, id_of
from web.ui.fields import number
from web.ui.form_values import place_errors, reading
from web.ui.pagination import paged

blueprint = Blueprint("maintenance", __name__)
PAGE_SIZE = 50
#: Minutes that are offered as a button.
QUICK = (30, 60, 240)
#: Monitors of a window that the list names.
NAMED = 3


@blueprint.get("/maintenance")
def index() -> str:
    """All of the project's: those that are on, those to come, those that are over."""
    who, now = current_caller(), datetime.now(UTC)
    page = paged(_ordered(who, now), PAGE_SIZE)
    return render_template(
        "maintenance_windows/maintenance.html",
        page=page,
        windows=[(row, maintenance.state_of(row, now)) for row in page.items],
        names=window_scope.names_of(page.items),
        named=NAMED,
        now=now,
        quick=QUICK,
        tags=listing.tags(who.project_id),
        span=window_wording.span,
    )


@blueprint.get("/maintenance/monitors")
def monitors() -> Response:
    """Labels of the monitors that `?q=` finds, for the form's search box."""
    return jsonify(monitor_choice.offered(editor().project_id, request.args.get("q", "")))


@blueprint.post("/maintenance/summary")
def summary() -> Response:
    """What the form as typed so far means; empty while something in it is missing or wrong. Nothing is saved."""
    who = editor()
    form = _build(who)
    window_form.fill_typed(form, request.form)
    try:
        window = reading(form, lambda: maintenance.planned(who, {**window_form.to_wire(form), "name": "-"}))
    except Problem as problem:
        if problem.status != 422:
            raise
        return jsonify(summary="")
    return jsonify(summary=_meaning(window))


@blueprint.get("/maintenance/new")
def new() -> str:
    """The empty form; for one monitor where `?monitor=` names it."""
    who = editor()
    form = _build(who)
    wanted = monitor_choice.id_of(who.project_id, request.args.get("monitor", ""))
    window_form.fill_new(form, wanted or "", datetime.now(UTC))
    return _page(form)


@blueprint.post("/maintenance/new")
def create() -> Response | tuple[str, int] | str:
    """Save it, or show the form again: with what is wrong, or, with `add`, with one more monitor chosen."""
    who = editor()
    form = _build(who)
    window_form.fill_typed(form, request.form)
    if "add" in request.form:
        return _with_added(form)
    try:
        _, made = reading(
            form, lambda: form_token.create(who, lambda: maintenance.create(who, window_form.to_wire(form)))
        )
        transaction.commit()
    except Problem as problem:
        return _again(form, problem)
    if made is not None:
        _warn_of(made)
        word = "started" if maintenance.state_of(made, datetime.now(UTC)) == "active" else "scheduled"
        flash(f"Maintenance {made.name} {word}. {_meaning(made)}", "good")
    return redirect(url_for("pages.maintenance.index"), 303)


@blueprint.post("/maintenance/begin")
def begin() -> Response:
    """Maintenance from now on for some minutes: of a monitor, a tag or the whole project."""
    who = editor()
    back = url_for("pages.maintenance.index")
    body: dict[str, Any] = {"durationMinutes": number(request.form.get("minutes", ""))}
    if text := request.form.get("monitor"):
        monitor = find_monitor(who, text)
        body |= {"monitorId": str(monitor.id), "name": f"Maintenance of {monitor.name}"[:255]}
        back = url_for("pages.monitor.index", monitor_id=monitor.id)
    elif (scope := request.form.get("scope", "")).startswith("tag:"):
        body |= {"tag": scope.removeprefix("tag:")}
    elif scope != "project":
        flash("Choose the monitors for this maintenance.", "bad")
        return redirect(back, 303)
    try:
        made = maintenance.create(who, body)
        transaction.commit()
    except Problem as problem:
        if problem.status != 422:
            raise
        db.session.rollback()
        flash(" ".join([problem.message, *problem.fields.values()]), "bad")
    else:
        flash(f"Maintenance started. {_meaning(made)} Checks continue.", "good")
    return redirect(back, 303)


@blueprint.get("/maintenance/<window_id>")
def edit(window_id: str) -> str:
    """The form with the window's values."""
    who = editor()
    found = _find(who, window_id)
    form = _shown(who, found)
    return _page(form, found, stamp=versions.stamp(form))


@blueprint.post("/maintenance/<window_id>")
def change(window_id: str) -> Response | tuple[str, int] | str:
    """Save the changes, or show the form again with what is wrong.

    What others saved since the form was opened is a 409: the form again, with both values. With `add`, nothing is saved:
    the form again, with one more monitor chosen.
    """
    who = editor()
    found = maintenance.find(who, id_of(window_id, "maintenance window"), lock=True)
    now, form = _shown(who, found), _build(who, found)
    window_form.fill_typed(form, request.form)
    if "add" in request.form:
        return _with_added(form, found)
    if versions.settle(form, now, request.form.get(versions.FIELD)):
        return _page(form, found, stamp=versions.stamp(now), clashes=True, dirty=True), 409
    try:
        data = window_form.changes(form, now, found.starts_at)
        changed = reading(form, lambda: maintenance.change(who, found.id, data))
        transaction.commit()
        _warn_of(changed)
    except Problem as problem:
        return _again(form, problem, found)
    flash("Changes saved." if data else "Nothing was changed.", "good")
    return redirect(url_for("pages.maintenance.index"), 303)


@blueprint.post("/maintenance/<window_id>/end")
def end(window_id: str) -> Response:
    """End its present time."""
    who = editor()
    try:
        ended = maintenance.end(who, id_of(window_id, "maintenance window"))
        transaction.commit()
    except Problem as problem:
        if problem.status != 409:
            raise
        db.session.rollback()
        flash(problem.message, "warning")
    else:
        flash(f"Maintenance {ended.name} ended. Monitors still down are rechecked and alerted.", "good")
    return redirect(url_for("pages.maintenance.index"), 303)


@blueprint.get("/maintenance/<window_id>/delete")
def confirm_delete(window_id: str) -> str:
    """Ask before the window is deleted."""
    found = _find(editor(), window_id)
    return render_template(
        "confirm.html",
        title=f"Delete {found.name}?",
        lost=[
            "Its monitors are alerted again at the times that it covered. If it is active now, alerts start immediately.",
            "To keep its schedule, disable it instead.",
        ],
        button="Delete",
        back=url_for("pages.maintenance.index"),
    )


@blueprint.post("/maintenance/<window_id>/delete")
def delete(window_id: str) -> Response:
    """Delete it."""
    who = editor()
    found = _find(who, window_id)
    name = found.name
    maintenance.delete(who, found.id)
    transaction.commit()
    flash(f"{name} was deleted.", "good")
    return redirect(url_for("pages.maintenance.index"), 303)


def _find(who: Caller, text: str) -> MaintenanceWindow:
    return maintenance.find(who, id_of(text, "maintenance window"))


def _ordered(who: Caller, now: datetime) -> Any:
    """Those that are on first, then by when they come; those that are over last, the newest of them first."""
    window = MaintenanceWindow
    order: ColumnElement[int] = case((window.occurs_until > now, 0), else_=1)
    since = func.coalesce(window.occurred_until, window.starts_at)
    query = select(window).where(window.project_id == who.project_id).options(selectinload(window.links))
    return query.order_by(order, window.occurs_from, since.desc().nulls_last(), window.id)


def _build(who: Caller, window: MaintenanceWindow | None = None) -> BaseForm:
    """The empty form; it offers what `window` has chosen, whether others may still choose it or not."""
    tags = listing.tags(who.project_id)
    if window is not None and window.tag is not None and window.tag not in tags:
        tags = [*tags, window.tag]
    return window_form.build(
        tags,
        window_form.Directory(
            partial(monitor_choice.labels_of, who.project_id), partial(monitor_choice.id_of, who.project_id)
        ),
    )


def _meaning(window: MaintenanceWindow) -> str:
    return window_wording.summary(window, window_scope.covered(window), datetime.now(UTC))


def _shown(who: Caller, window: MaintenanceWindow) -> BaseForm:
    """The form with the values of `window`."""
    form = _build(who, window)
    window_form.fill(form, maintenance.shown(window).model_dump(mode="json", by_alias=True))
    return form


def _warn_of(window: MaintenanceWindow) -> None:
    """Say on the next page what of `window` is doubtful; it is saved all the same."""
    for found in maintenance.warnings(window):
        flash(found.message, "warning")


def _page(
    form: BaseForm, window: MaintenanceWindow | None = None, problems: list[str] | None = None, **more: Any
) -> str:
    """Render the form. `problems` are the errors that belong to no input, None if the form was not submitted yet."""
    return render_template(
        "maintenance_windows/maintenance_form.html",
        form=form,
        window=window,
        problems=problems or [],
        wrong=problems is not None,
        token=None if window else form_token.token(),
        **{"stamp": "", "clashes": False, "dirty": False, **more},
    )


def _with_added(form: BaseForm, window: MaintenanceWindow | None = None) -> str:
    """The form as typed, with the monitor of its search box chosen: the way of browsers without scripts."""
    window_form.add_typed(form)
    return _page(form, window, dirty=True, stamp=request.form.get(versions.FIELD, ""))


def _again(form: BaseForm, problem: Problem, window: MaintenanceWindow | None = None) -> tuple[str, int]:
    if problem.status != 422:
        raise problem
    db.session.rollback()
    unplaced_errors = place_errors(form, problem.fields)
    return _page(form, window, unplaced_errors, dirty=True, stamp=request.form.get(versions.FIELD, "")), 422
