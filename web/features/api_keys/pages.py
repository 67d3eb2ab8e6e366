"""API keys of the project: list, create, revoke."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from models.tables import ApiKey
from web.api.schema import validate
from web.features.api_keys import service as api_keys
from web.features.api_keys.schemas import ApiKeyIn
from web.http import transaction
from web.http.auth import Caller
from web.http.errors import Problem
from web.http.extensions import db
from web.ui.access import administrator, id_of
from web.ui.labels import ROLES, ago

blueprint = Blueprint("api_keys", __name__)
_KEY_ROLES = ("project_editor", "project_viewer", "project_admin")


@blueprint.get("/settings/api-keys")
def index() -> str:
    """Return the list of keys."""
    return _page(administrator())


@blueprint.post("/settings/api-keys")
def create() -> tuple[str, int] | str:
    """Create a key and show it once."""
    caller = administrator()
    wanted = {"name": request.form.get("name", ""), "role": request.form.get("role", "")}
    try:
        made, text = api_keys.create(caller, validate(ApiKeyIn, wanted))
        transaction.commit()
    except Problem as problem:
        if problem.status not in (403, 422):
            raise
        db.session.rollback()
        return _page(caller, problem=" ".join(problem.fields.values()) or problem.message), 422
    return _page(caller, made=made, text=text)


@blueprint.get("/settings/api-keys/<key_id>/revoke")
def confirm_revoke(key_id: str) -> str:
    """Return the page that asks for confirmation."""
    key = api_keys.find(administrator(), id_of(key_id, "API key"))
    used = f"Last used: {ago(key.last_used_at)}." if key.last_used_at else "Never used."
    return render_template(
        "confirm.html",
        title=f"Revoke {key.name}?",
        lost=[f"Programs that use {key.prefix}… can no longer sign in. {used}", "A revoked key cannot be restored."],
        button="Revoke",
        back=url_for("pages.api_keys.index"),
    )


@blueprint.post("/settings/api-keys/<key_id>/revoke")
def revoke(key_id: str) -> Response:
    """Revoke a key."""
    api_keys.revoke(administrator(), id_of(key_id, "API key"))
    transaction.commit()
    flash("Key revoked. Programs that use it can no longer sign in.", "good")
    return redirect(url_for("pages.api_keys.index"), 303)


def _page(caller: Caller, *, problem: str = "", made: ApiKey | None = None, text: str = "") -> str:
    return render_template(
        "api_keys/api_keys.html",
        keys=db.session.execute(api_keys.listed(caller).order_by(ApiKey.created_at.desc())).all(),
        roles={word: ROLES[word] for word in _KEY_ROLES},
        now=datetime.now(UTC),
        problem=problem,
        made=made,
        text=text,
    )
