"""Create and edit a monitor."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy import or_, select
from werkzeug.wrappers import Response
from wtforms.form import BaseForm

from models.tables import Location, Monitor, NotificationProvider
from web.features.monitors import forms as monitor_form
from web.features.monitors import service as monitors
from web.features.monitors.detail_pages import find
from web.features.monitors.representation import shown
from web.features.monitors.validation import examine, tidy
from web.http import transaction
from web.http.auth import Caller, caller
from web.http.errors import Problem, not_found
from web.http.extensions import db
from web.ui import form_token, versions
from web.ui.access import editor, id_of
from web.ui.credentials import warn_of
from web.ui.form_values import input_for, place_errors, reading
from web.ui.labels import TYPES

blueprint = Blueprint("monitor_form", __name__)
_DEFAULT_TYPE = "http_request"


@blueprint.get("/monitors/new")
def new() -> str:
    """The empty form for `?type=`."""
    who = editor()
    kind = _kind(request.args.get("type", _DEFAULT_TYPE))
    form = _form(who, kind)
    monitor_form.fill_new(form, kind, _working_providers(who))
    return _page(who, form, kind)


@blueprint.post("/monitors/new")
def create() -> Response | tuple[str, int] | str:
    """Save the new monitor and show it, or show the form again with what is wrong.

    With `from`, another type was chosen: show the form of the new type with what was typed so far.
    """
    who = editor()
    kind = _kind(request.args.get("type", _DEFAULT_TYPE))
    form = _form(who, kind)
    if "from" in request.form:
        return _retyped(who, form, kind)
    monitor_form.fill_typed(form, request.form)
    try:
        made_id, made = reading(
            form, lambda: form_token.create(who, lambda: monitors.create(who, monitor_form.to_wire(form, kind)))
        )
        transaction.commit()
    except Problem as problem:
        return _again(who, form, kind, problem)
    if made is not None:
        warn_of(made)
        flash(f"{made.name} was created." + ("" if kind == "heartbeat" else " The first check is running."), "good")
    return redirect(url_for("pages.monitor.index", monitor_id=made_id), 303)


def _retyped(who: Caller, form: BaseForm, kind: str) -> str:
    """The form for `kind`, with what was typed into the form of the type `from`."""
    old_kind = _kind(request.form["from"])
    provider_ids = _working_providers(who)
    untouched, typed = _form(who, old_kind), _form(who, old_kind)
    monitor_form.fill_new(untouched, old_kind, provider_ids)
    monitor_form.fill_typed(typed, request.form)
    monitor_form.fill_retyped(form, kind, provider_ids, typed, untouched)
    return _page(who, form, kind, dirty=True)


@blueprint.get("/monitors/<monitor_id>/edit")
def edit(monitor_id: str) -> str:
    """The form with the monitor's values."""
    who = editor()
    found = find(who, monitor_id)
    form = _shown(who, found)
    return _page(who, form, found.type, found, stamp=versions.stamp(form, found.secrets_changed_at))


@blueprint.post("/monitors/<monitor_id>/edit")
def change(monitor_id: str) -> Response | tuple[str, int] | str:
    """Save the changes and show the monitor, or show the form again with what is wrong.

    What others saved since the form was opened is a 409: the form again, with both values.
    """
    who = editor()
    found = monitors.find(who, id_of(monitor_id, "monitor"), lock=True)
    now, form = _shown(who, found), _form(who, _kind(found.type), found)
    monitor_form.fill_typed(form, request.form)
    if versions.settle(form, now, request.form.get(versions.FIELD), found.secrets_changed_at):
        stamp = versions.stamp(now, found.secrets_changed_at)
        return _page(who, form, found.type, found, stamp=stamp, clashes=True, dirty=True), 409
    try:
        data = monitor_form.changes(form, now, found.type)
        changed = reading(form, lambda: monitors.change(who, found.id, data))
        transaction.commit()
        warn_of(changed)
    except Problem as problem:
        return _again(who, form, found.type, problem, found)
    flash("Changes saved." if data else "Nothing was changed.", "good")
    return redirect(url_for("pages.monitor.index", monitor_id=found.id), 303)


@blueprint.post("/monitors/partials/examine")
def judge() -> Response:
    """What is wrong with the form as typed so far, by input; nothing is saved."""
    who = editor()
    kind = _kind(request.args.get("type", ""))
    monitor_id = request.args.get("id")
    found = find(who, monitor_id) if monitor_id else None
    form = _form(who, kind, found)
    monitor_form.fill_typed(form, request.form)
    problems: dict[str, str] = {}
    try:
        if found is not None:
            data = monitor_form.changes(form, _shown(who, found), kind)
            reading(form, lambda: monitors.change(who, found.id, data))
        else:
            reading(form, lambda: examine(who, tidy(monitor_form.to_wire(form, kind)), {}, {}))
    except Problem as problem:
        problems = problem.fields
    finally:
        db.session.rollback()  # validate only, save nothing
    return jsonify(fields={input_for(form, path) or path: message for path, message in problems.items()})


def _kind(text: str) -> str:
    if text not in monitor_form.TYPES:
        raise not_found("type of monitor")
    return text


def _providers(who: Caller) -> list[tuple[str, str]]:
    query = select(NotificationProvider).where(NotificationProvider.project_id == who.project_id)
    return [(str(row.id), row.name) for row in db.session.scalars(query.order_by(NotificationProvider.name))]


def _working_providers(who: Caller) -> list[str]:
    """The ids of the providers that a new monitor notifies unless others are chosen: enabled, and not broken."""
    query = select(NotificationProvider.id).where(
        NotificationProvider.project_id == who.project_id,
        NotificationProvider.enabled.is_(True),
        NotificationProvider.broken.is_(False),
    )
    return [str(one) for one in db.session.scalars(query.order_by(NotificationProvider.name))]


def _form(who: Caller, kind: str, monitor: Monitor | None = None) -> BaseForm:
    """The empty form. It offers the locations that are enabled, and those that `monitor` uses."""
    used = (monitor.config.get("locationConfig") or {}).get("locations", []) if monitor else []
    query = select(Location).where(or_(Location.enabled, Location.code.in_(used)))
    rows = db.session.scalars(query.order_by(Location.position, Location.code))
    locations = [(row.code, row.name if row.enabled else f"{row.name} (disabled)") for row in rows]
    return monitor_form.build(kind, _providers(who), locations)


def _shown(who: Caller, monitor: Monitor) -> BaseForm:
    """The form with the values of `monitor`."""
    form = _form(who, _kind(monitor.type), monitor)
    monitor_form.fill(form, shown(monitor, who).model_dump(mode="json", by_alias=True))
    return form


def _page(who: Caller, form: BaseForm, kind: str, monitor: Monitor | None = None, **more: Any) -> str:
    return render_template(
        "monitor_form.html",
        form=form,
        kind=kind,
        monitor=monitor,
        types={word: TYPES[word] for word in monitor_form.TYPES},
        providers=_providers(who),
        now=datetime.now(UTC),
        token=None if monitor else form_token.token(),
        **{"problems": [], "wrong": False, "clashes": False, "dirty": False, "stamp": "", **more},
    )


def _again(who: Caller, form: BaseForm, kind: str, problem: Problem, monitor: Monitor | None = None) -> tuple[str, int]:
    """The form as it was typed, with the complaints at their inputs. Other problems than a 422 go on."""
    if problem.status != 422:
        raise problem
    db.session.rollback()
    caller()  # load the rows again that the rollback expired
    homeless = place_errors(form, problem.fields)
    stamp = request.form.get(versions.FIELD, "")
    return _page(who, form, kind, monitor, problems=homeless, wrong=True, dirty=True, stamp=stamp), 422
