"""One's own account: the password, and which project is shown."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from models.tables import User
from web import security
from web.callers import caller, find_membership, projects_of
from web.errors import not_found
from web.pages.access import id_of, safe_next
from web.saving import audit, unit

blueprint = Blueprint("account", __name__)
_SHORTEST, _LONGEST = 10, 256


@blueprint.get("/settings/account")
def index() -> str:
    """The page."""
    return _page({})


@blueprint.post("/settings/account")
def change_password() -> Response | tuple[str, int]:
    """Change the password; every other session of this person ends."""
    user: User = current_user.user
    old, new = request.form.get("old", ""), request.form.get("new", "")
    problems = _problems(new, request.form.get("again", ""))
    try:
        # Whoever found an unlocked browser may guess no faster here than at the door.
        security.confirm(user, old, request.remote_addr or "")
    except security.SignInRefused as refused:
        return _page({"old": str(refused)}), 429 if refused.retry_after else 422
    if problems:
        return _page(problems), 422
    user.password_hash = security.hash_password(new)
    user.session_epoch += 1
    audit.record(caller(), "password.changed", "user", user.id)
    unit.commit()
    security.start_session(user)
    flash("The password is changed. Other browsers are signed out.", "good")
    return redirect(url_for("pages.account.index"), 303)


@blueprint.post("/settings/project")
def switch_project() -> Response:
    """Show another of one's projects from now on."""
    wanted = id_of(request.form.get("project", ""), "project")
    found = find_membership(current_user.user.id, wanted)
    if found is None:
        raise not_found("project")
    session["project_id"] = str(wanted)
    flash(f"{found[0].name} is the project that is shown now.", "good")
    return redirect(safe_next(request.form.get("next")), 303)


def _page(problems: dict[str, str]) -> str:
    user: User = current_user.user
    return render_template(
        "settings/account.html", problems=problems, projects=projects_of(user.id), shortest=_SHORTEST
    )


def _problems(new: str, again: str) -> dict[str, str]:
    """{input: what is wrong} with the new password."""
    if not _SHORTEST <= len(new) <= _LONGEST:
        return {"new": f"A password has at least {_SHORTEST} characters."}
    return {} if new == again else {"again": "The two do not match."}
