"""Create and edit a monitor."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy import or_, select
from werkzeug.wrappers import Response
from wtforms.form import BaseForm

from check_types import CHECK_TYPES
from models.tables import Location, Monitor, NotificationProvider
from web.features.monitors import forms as monitor_form
from web.features.monitors import service as monitors
from web.features.monitors.detail_pages import find
from web.features.monitors.representation import shown
from web.features.monitors.validation import tidy, validate_monitor
from web.http import transaction
from web.http.auth import Caller, current_caller
from web.http.errors import Problem, not_found
from web.http.extensions import db
from web.ui import form_token, versions
from web.ui.access import editor, id_of
from web.ui.credentials import warn_of
from web.ui.form_values import input_for, place_errors, reading

blueprint = Blueprint("monitor_form", __name__)
_DEFAULT_TYPE = "http_request"


@blueprint.get("/monitors/new")
def new() -> str:
    """Return the empty form for `?type=`."""
    caller = editor()
    kind = _kind(request.args.get("type", _DEFAULT_TYPE))
    form = _form(caller, kind)
    monitor_form.fill_new(form, kind, _working_providers(caller))
    return _page(caller, form, kind)


@blueprint.post("/monitors/new")
def create() -> Response | tuple[str, int] | str:
    """Create the monitor and redirect to it, or return the form with errors.

    With `from`, the person chose another type: return the form of the new type with the inputs so far.
    """
    caller = editor()
    kind = _kind(request.args.get("type", _DEFAULT_TYPE))
    form = _form(caller, kind)
    if "from" in request.form:
        return _retyped(caller, form, kind)
    monitor_form.fill_typed(form, request.form)
    try:
        made_id, made = reading(
            form, lambda: form_token.create(caller, lambda: monitors.create(caller, monitor_form.to_wire(form, kind)))
        )
        transaction.commit()
    except Problem as problem:
        return _render_with_errors(caller, form, kind, problem)
    if made is not None:
        warn_of(made)
        flash(f"{made.name} was created." + ("" if kind == "heartbeat" else " The first check is running."), "good")
    return redirect(url_for("pages.monitor.index", monitor_id=made_id), 303)


def _retyped(caller: Caller, form: BaseForm, kind: str) -> str:
    """Return the form for `kind` with the inputs from the form of the type `from`."""
    old_kind = _kind(request.form["from"])
    provider_ids = _working_providers(caller)
    untouched, typed = _form(caller, old_kind), _form(caller, old_kind)
    monitor_form.fill_new(untouched, old_kind, provider_ids)
    monitor_form.fill_typed(typed, request.form)
    monitor_form.fill_retyped(form, kind, provider_ids, typed, untouched)
    return _page(caller, form, kind, dirty=True)


@blueprint.get("/monitors/<monitor_id>/edit")
def edit(monitor_id: str) -> str:
    """Return the form with the monitor's values."""
    caller = editor()
    found = find(caller, monitor_id)
    form = _shown(caller, found)
    return _page(caller, form, found.type, found, stamp=versions.stamp(form, found.secrets_changed_at))


@blueprint.post("/monitors/<monitor_id>/edit")
def change(monitor_id: str) -> Response | tuple[str, int] | str:
    """Save the changes and redirect to the monitor, or return the form with errors.

    If others saved the same inputs since the form was opened, return the form with both values, as a 409.
    """
    caller = editor()
    found = monitors.find(caller, id_of(monitor_id, "monitor"), lock=True)
    now, form = _shown(caller, found), _form(caller, _kind(found.type), found)
    monitor_form.fill_typed(form, request.form)
    if versions.settle(form, now, request.form.get(versions.FIELD), found.secrets_changed_at):
        stamp = versions.stamp(now, found.secrets_changed_at)
        return _page(caller, form, found.type, found, stamp=stamp, clashes=True, dirty=True), 409
    try:
        data = monitor_form.changes(form, now, found.type)
        changed = reading(form, lambda: monitors.change(caller, found.id, data))
        transaction.commit()
        warn_of(changed)
    except Problem as problem:
        return _render_with_errors(caller, form, found.type, problem, found)
    flash("Changes saved." if data else "Nothing was changed.", "good")
    return redirect(url_for("pages.monitor.index", monitor_id=found.id), 303)


@blueprint.post("/monitors/partials/examine")
def judge() -> Response:
    """Return the errors of the form as typed so far, by input. Nothing is saved."""
    caller = editor()
    kind = _kind(request.args.get("type", ""))
    monitor_id = request.args.get("id")
    found = find(caller, monitor_id) if monitor_id else None
    form = _form(caller, kind, found)
    monitor_form.fill_typed(form, request.form)
    problems: dict[str, str] = {}
    try:
        if found is not None:
            data = monitor_form.changes(form, _shown(caller, found), kind)
            reading(form, lambda: monitors.change(caller, found.id, data))
        else:
            reading(form, lambda: validate_monitor(caller, tidy(monitor_form.to_wire(form, kind)), {}, {}))
    except Problem as problem:
        problems = problem.fields
    finally:
        db.session.rollback()  # validate only, save nothing
    return jsonify(fields={input_for(form, path) or path: message for path, message in problems.items()})


def _kind(text: str) -> str:
    if text not in monitor_form.TYPES:
        raise not_found("type of monitor")
    return text


def _providers(caller: Caller) -> list[tuple[str, str]]:
    query = select(NotificationProvider).where(NotificationProvider.project_id == caller.project_id)
    return [(str(row.id), row.name) for row in db.session.scalars(query.order_by(NotificationProvider.name))]


def _working_providers(caller: Caller) -> list[str]:
    """Return the ids of the default providers of a new monitor: those that are enabled and not broken."""
    query = select(NotificationProvider.id).where(
        NotificationProvider.project_id == caller.project_id,
        NotificationProvider.enabled.is_(True),
        NotificationProvider.broken.is_(False),
    )
    return [str(provider_id) for provider_id in db.session.scalars(query.order_by(NotificationProvider.name))]


def _form(caller: Caller, kind: str, monitor: Monitor | None = None) -> BaseForm:
    """Return the empty form. It offers the locations that are enabled, and those that `monitor` uses."""
    used = (monitor.config.get("locationConfig") or {}).get("locations", []) if monitor else []
    query = select(Location).where(or_(Location.enabled, Location.code.in_(used)))
    rows = db.session.scalars(query.order_by(Location.position, Location.code))
    locations = [(row.code, row.name if row.enabled else f"{row.name} (disabled)") for row in rows]
    return monitor_form.build(kind, _providers(caller), locations)


def _shown(caller: Caller, monitor: Monitor) -> BaseForm:
    """Return the form with the values of `monitor`."""
    form = _form(caller, _kind(monitor.type), monitor)
    monitor_form.fill(form, shown(monitor, caller).model_dump(mode="json", by_alias=True))
    return form


def _page(caller: Caller, form: BaseForm, kind: str, monitor: Monitor | None = None, **more: Any) -> str:
    return render_template(
        "monitors/monitor_form.html",
        form=form,
        kind=kind,
        monitor=monitor,
        types={kind: CHECK_TYPES[kind] for kind in monitor_form.TYPES},
        providers=_providers(caller),
        now=datetime.now(UTC),
        token=None if monitor else form_token.token(),
        **{"problems": [], "wrong": False, "clashes": False, "dirty": False, "stamp": "", **more},
    )


def _render_with_errors(
    caller: Caller, form: BaseForm, kind: str, problem: Problem, monitor: Monitor | None = None
) -> tuple[str, int]:
    """Return the form as typed, with the errors at their inputs. Raise `problem` if it is not a 422."""
    if problem.status != 422:
        raise problem
    db.session.rollback()
    current_caller()  # load the rows again that the rollback expired
    unplaced_errors = place_errors(form, problem.fields)
    stamp = request.form.get(versions.FIELD, "")
    return _page(caller, form, kind, monitor, problems=unplaced_errors, wrong=True, dirty=True, stamp=stamp), 422
