"""Notification providers: where alerts go; made, changed, tried out and deleted."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response
from wtforms.form import BaseForm

from models.tables import Delivery, MonitorNotificationSetting, NotificationProvider
from web.features.notification_providers import fallbacks, recipients
from web.features.notification_providers import forms as provider_form
from web.features.notification_providers import health as provider_health
from web.features.notification_providers import service as providers
from web.features.notification_providers import trials as provider_trials
from web.features.notification_providers import uses as provider_uses
from web.features.notification_providers.schemas import TestOut
from web.http import transaction
from web.http.auth import Caller, current_caller
from web.http.errors import Problem, not_found
from web.http.extensions import db
from web.ui import form_token, versions
from web.ui.access import editor, id_of
from web.ui.credentials import warn_of
from web.ui.form_values import place_errors, reading
from web.ui.labels import PROVIDERS, counted

blueprint = Blueprint("providers", __name__)
#: Deliveries that a provider's page shows.
RECENT = 15


@blueprint.get("/notification-providers")
def index() -> str:
    """All of the project's, and how they did lately."""
    query = select(NotificationProvider).where(NotificationProvider.project_id == current_caller().project_id)
    found = db.session.scalars(query.order_by(func.lower(NotificationProvider.name))).all()
    uses = (
        select(MonitorNotificationSetting.provider_id, func.count())
        .where(MonitorNotificationSetting.provider_id.in_([row.id for row in found]))
        .group_by(MonitorNotificationSetting.provider_id)
    )
    figures = provider_health.count([row.id for row in found])
    return render_template(
        "notification_providers/providers.html",
        providers=[(row, provider_health.of(row, figures[row.id])) for row in found],
        uses=dict(db.session.execute(uses).all()),
        types=PROVIDERS,
    )


@blueprint.get("/notification-providers/new")
def new() -> str:
    """The empty form for `?type=`."""
    who = editor()
    kind = _kind(request.args.get("type", "email"))
    form = _form(who, kind)
    provider_form.fill(form, kind, None)
    return _page(form, kind)


@blueprint.post("/notification-providers/new")
def create() -> Response | tuple[str, int] | str:
    """Save it, or show the form again with what is wrong; with `from`, the form of another type.

    With `test`, send a test message and save nothing.
    """
    who = editor()
    kind = _kind(request.args.get("type", "email"))
    form = _form(who, kind)
    if "from" in request.form:
        return _retyped(form, kind)
    provider_form.fill_typed(form, request.form)
    if "test" in request.form:
        return _tested(form, kind)
    try:
        made_id, made = reading(
            form, lambda: form_token.create(who, lambda: providers.create(who, provider_form.to_wire(form, kind)))
        )
        transaction.commit()
    except Problem as problem:
        return _again(form, kind, problem)
    if made is not None:
        warn_of(made)
        flash(f"{made.name} was created. Send a test message to check that it works.", "good")
    return redirect(url_for("pages.providers.edit", provider_id=made_id), 303)


def _tested(
    form: BaseForm, kind: str, provider: NotificationProvider | None = None, shown: BaseForm | None = None
) -> str | tuple[str, int]:
    """The form as typed, after a test message through what it holds; `shown` is the form of the saved `provider`."""
    who = editor()
    provider_id = provider.id if provider else None

    def send() -> TestOut:
        data = provider_form.changes(form, shown, kind) if shown else provider_form.to_wire(form, kind)
        # The message needs no name.
        return provider_trials.try_unsaved(who, {**data, "name": "Test"}, provider_id)

    stamp = request.form.get(versions.FIELD, "")
    try:
        outcome = reading(form, send)
        transaction.commit()
    except Problem as problem:
        if problem.status != 429:
            return _again(form, kind, problem, provider)
        db.session.rollback()
        outcome = TestOut(success=False, error=problem.message, duration_ms=0)
    provider = _find(who, str(provider_id)) if provider_id else None
    return _page(form, kind, provider, dirty=True, stamp=stamp, outcome=outcome)


def _retyped(form: BaseForm, kind: str) -> str:
    """The form for `kind`, with what was typed into the form of the type `from`."""
    old_kind = _kind(request.form["from"])
    typed = _form(current_caller(), old_kind)
    provider_form.fill_typed(typed, request.form)
    provider_form.fill_retyped(form, kind, typed)
    return _page(form, kind, dirty=True)


@blueprint.get("/notification-providers/<provider_id>")
def edit(provider_id: str) -> str:
    """How the provider does; for those who may change it, its form as well, secrets masked."""
    who = current_caller()
    found = _find(who, provider_id)
    if not who.can_edit:
        return render_template("notification_providers/provider.html", provider=found, **_record_of(found))
    form = _shown(who, found)
    return _page(form, found.type, found, stamp=versions.stamp(form, found.secrets_changed_at))


@blueprint.post("/notification-providers/<provider_id>")
def change(provider_id: str) -> Response | tuple[str, int] | str:
    """Save the changes, or show the form again with what is wrong; with `test`, send a test message and save nothing.

    What others saved since the form was opened is a 409: the form again, with both values.
    """
    who = editor()
    found = providers.find(who, id_of(provider_id, "notification provider"), lock=True)
    now, form = _shown(who, found), _form(who, _kind(found.type), found)
    provider_form.fill_typed(form, request.form)
    if "test" in request.form:
        return _tested(form, found.type, found, now)
    if versions.settle(form, now, request.form.get(versions.FIELD), found.secrets_changed_at):
        stamp = versions.stamp(now, found.secrets_changed_at)
        return _page(form, found.type, found, stamp=stamp, clashes=True, dirty=True), 409
    try:
        data = provider_form.changes(form, now, found.type)
        # Even a change to nothing would give a broken provider another chance.
        changed = reading(form, lambda: providers.change(who, found.id, data) if data else found)
        transaction.commit()
        warn_of(changed)
        for warning in provider_uses.warnings(changed):
            flash(warning.message, "warning")
    except Problem as problem:
        return _again(form, found.type, problem, found)
    flash("Changes saved." if data else "Nothing was changed.", "good")
    return redirect(url_for("pages.providers.index"), 303)


@blueprint.post("/notification-providers/<provider_id>/test")
def try_out(provider_id: str) -> Response:
    """Send a real test message and say how it went."""
    who = editor()
    found = _find(who, provider_id)
    name = found.name
    back = url_for("pages.providers.index")
    try:
        outcome = provider_trials.try_out(who, found.id)
    except Problem as problem:
        if problem.status != 429:
            raise
        flash(problem.message, "bad")
        return redirect(back, 303)
    transaction.commit()
    if outcome.success:
        flash(f"Test message delivered to {name} in {outcome.duration_ms} ms.", "good")
    else:
        flash(f"Test message to {name} failed: {outcome.error}", "bad")
    return redirect(back, 303)


@blueprint.post("/notification-providers/<provider_id>/use-for-all")
def use_for_all(provider_id: str) -> Response:
    """Have every monitor of the project notify it."""
    who = editor()
    found = _find(who, provider_id)
    added = provider_uses.use_for_all(who, found.id)
    transaction.commit()
    flash(f"Added {found.name} to {counted(added, 'monitor')}.", "good")
    return redirect(url_for("pages.providers.edit", provider_id=found.id), 303)


@blueprint.get("/notification-providers/<provider_id>/delete")
def confirm_delete(provider_id: str) -> str:
    """Ask before it is deleted."""
    return render_template("notification_providers/provider_delete.html", **_left_without(_find(editor(), provider_id)))


@blueprint.post("/notification-providers/<provider_id>/delete")
def delete(provider_id: str) -> Response:
    """Delete it."""
    who = editor()
    found = _find(who, provider_id)
    providers.delete(who, found.id)
    transaction.commit()
    flash(f"{found.name} was deleted.", "good")
    return redirect(url_for("pages.providers.index"), 303)


def _left_without(provider: NotificationProvider) -> dict[str, Any]:
    """Return the provider, and the number and names of the monitors that have no other active channel."""
    which = recipients.notifies_only(provider.id)
    count = recipients.count(provider.project_id, which)
    unused, total = provider_uses.unused(provider)
    return {
        "provider": provider,
        "used": total - unused,
        "left": count,
        "names": recipients.named(provider.project_id, which),
    }


def _kind(text: str) -> str:
    if text not in provider_form.TYPES:
        raise not_found("type of provider")
    return text


def _find(who: Caller, text: str) -> NotificationProvider:
    return providers.find(who, id_of(text, "notification provider"))


def _form(who: Caller, kind: str, provider: NotificationProvider | None = None) -> BaseForm:
    return provider_form.build(kind, fallbacks.candidates(who, provider.id if provider else None))


def _shown(who: Caller, provider: NotificationProvider) -> BaseForm:
    """The form with the values of `provider`."""
    form = _form(who, _kind(provider.type), provider)
    provider_form.fill(form, provider.type, providers.shown(provider).model_dump(mode="json", by_alias=True))
    return form


def _record_of(provider: NotificationProvider | None) -> dict[str, Any]:
    """How the provider did and its newest deliveries; nothing for one that is being made."""
    if provider is None:
        return {"health": None, "recent": [], "unused": 0, "total": 0}
    newest = (
        select(Delivery)
        .where(Delivery.provider_id == provider.id)
        .options(joinedload(Delivery.alert))
        .order_by(Delivery.created_at.desc())
        .limit(RECENT)
    )
    health = provider_health.of(provider, provider_health.count([provider.id])[provider.id])
    unused, total = provider_uses.unused(provider)
    return {"health": health, "recent": db.session.scalars(newest).all(), "unused": unused, "total": total}


def _page(
    form: BaseForm,
    kind: str,
    provider: NotificationProvider | None = None,
    problems: list[str] | None = None,
    **more: Any,
) -> str:
    """Render the form. `problems` are the errors that belong to no input, None if the form was not submitted yet."""
    return render_template(
        "notification_providers/provider_form.html",
        form=form,
        kind=kind,
        provider=provider,
        types=PROVIDERS,
        problems=problems or [],
        wrong=problems is not None,
        token=None if provider else form_token.token(),
        **{"stamp": "", "clashes": False, "dirty": False, "outcome": None, **more},
        **_record_of(provider),
    )


def _again(
    form: BaseForm, kind: str, problem: Problem, provider: NotificationProvider | None = None
) -> tuple[str, int]:
    if problem.status != 422:
        raise problem
    db.session.rollback()
    unplaced_errors = place_errors(form, problem.fields)
    return _page(form, kind, provider, unplaced_errors, dirty=True, stamp=request.form.get(versions.FIELD, "")), 422
