"""Making and editing a monitor."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms.form import BaseForm

from models.tables import Location, Monitor, NotificationProvider
from web.callers import Caller, caller
from web.errors import Problem, not_found
from web.extensions import db
from web.forms import monitor as monitor_form
from web.forms.wire import input_for, place_errors
from web.pages.access import editor
from web.pages.credentials import warn_of_weak
from web.pages.monitor import find
from web.pages.wording import TYPES
from web.saving import monitors, unit
from web.saving.monitor_examination import examine, tidy
from web.saving.monitor_wire import shown

blueprint = Blueprint("monitor_form", __name__)
_DEFAULT_TYPE = "http_request"


@blueprint.get("/monitors/new")
def new() -> str:
    """The empty form for `?type=`."""
    who = editor()
    kind = _kind(request.args.get("type", _DEFAULT_TYPE))
    form = _form(who, kind)
    monitor_form.fill_new(form, kind, [key for key, _ in _providers(who)])
    return _page(who, form, kind)


@blueprint.post("/monitors/new")
def create() -> Response | tuple[str, int] | str:
    """Save the new monitor and show it, or show the form again with what is wrong."""
    who = editor()
    kind = _kind(request.args.get("type", _DEFAULT_TYPE))
    form = _form(who, kind)
    monitor_form.fill_typed(form, request.form)
    try:
        made = monitors.create(who, monitor_form.to_wire(form, kind))
        unit.commit()
        warn_of_weak(made)
    except Problem as problem:
        return _again(who, form, kind, problem)
    flash(f"{made.name} is saved" + ("." if kind == "heartbeat" else " and is being checked."), "good")
    return redirect(url_for("pages.monitor.index", monitor_id=made.id), 303)


@blueprint.get("/monitors/<monitor_id>/edit")
def edit(monitor_id: str) -> str:
    """The form with the monitor's values."""
    who = editor()
    found = find(who, monitor_id)
    form = _form(who, _kind(found.type))
    monitor_form.fill(form, shown(found, who).model_dump(mode="json", by_alias=True))
    return _page(who, form, found.type, found)


@blueprint.post("/monitors/<monitor_id>/edit")
def change(monitor_id: str) -> Response | tuple[str, int] | str:
    """Save the changes and show the monitor, or show the form again with what is wrong."""
    who = editor()
    found = find(who, monitor_id)
    form = _form(who, _kind(found.type))
    monitor_form.fill_typed(form, request.form)
    try:
        changed = monitors.change(who, found.id, monitor_form.to_wire(form, found.type))
        unit.commit()
        warn_of_weak(changed)
    except Problem as problem:
        return _again(who, form, found.type, problem, found)
    flash("The changes are saved.", "good")
    return redirect(url_for("pages.monitor.index", monitor_id=found.id), 303)


@blueprint.post("/monitors/partials/examine")
def judge() -> Response:
    """What is wrong with the form as typed so far, by input; nothing is saved."""
    who = editor()
    kind = _kind(request.args.get("type", ""))
    form = _form(who, kind)
    monitor_form.fill_typed(form, request.form)
    data = monitor_form.to_wire(form, kind)
    problems: dict[str, str] = {}
    try:
        if monitor_id := request.args.get("id"):
            monitors.change(who, find(who, monitor_id).id, data)
        else:
            examine(who, tidy(data), {}, {})
    except Problem as problem:
        problems = problem.fields
    finally:
        db.session.rollback()  # a change that nobody asked to be saved
    return jsonify(fields={input_for(form, path) or path: message for path, message in problems.items()})


def _kind(text: str) -> str:
    if text not in monitor_form.TYPES:
        raise not_found("type of monitor")
    return text


def _providers(who: Caller) -> list[tuple[str, str]]:
    query = select(NotificationProvider).where(NotificationProvider.project_id == who.project_id)
    return [(str(row.id), row.name) for row in db.session.scalars(query.order_by(NotificationProvider.name))]


def _form(who: Caller, kind: str) -> BaseForm:
    enabled = select(Location).where(Location.enabled).order_by(Location.position, Location.code)
    locations = [(row.code, row.name) for row in db.session.scalars(enabled)]
    return monitor_form.build(kind, _providers(who), locations)


def _page(who: Caller, form: BaseForm, kind: str, monitor: Monitor | None = None, **more: Any) -> str:
    return render_template(
        "monitor_form.html",
        form=form,
        kind=kind,
        monitor=monitor,
        types={word: TYPES[word] for word in monitor_form.TYPES},
        providers=_providers(who),
        now=datetime.now(UTC),
        problems=more.get("problems", []),
        wrong=more.get("wrong", False),
    )


def _again(who: Caller, form: BaseForm, kind: str, problem: Problem, monitor: Monitor | None = None) -> tuple[str, int]:
    """The form as it was typed, with the complaints at their inputs. Other problems than a 422 go on."""
    if problem.status != 422:
        raise problem
    db.session.rollback()
    caller()  # the rollback has let go of rows that the page shows
    homeless = place_errors(form, problem.fields)
    return _page(who, form, kind, monitor, problems=homeless, wrong=True), 422
