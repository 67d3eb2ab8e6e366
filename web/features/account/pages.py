"""The person's account: password, sessions, and the current project."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from models.tables import User
from web.http import passwords, sessions, sign_in, transaction
from web.http.auth import find_membership, projects_of
from web.http.errors import not_found
from web.http.extensions import db
from web.services import audit_events
from web.ui.access import id_of, safe_next

blueprint = Blueprint("account", __name__)


@blueprint.get("/settings/account")
def index() -> str:
    """Return the page."""
    return _page({})


@blueprint.post("/settings/account")
def change_password() -> Response | tuple[str, int]:
    """Change the password and end every other session of this person."""
    user: User = current_user.user
    old, new = request.form.get("old", ""), request.form.get("new", "")
    problems = problems_of(new, request.form.get("again", ""))
    try:
        # Guessing with an unlocked browser must not be faster here than on the sign-in page.
        sign_in.confirm(user, old, request.remote_addr or "")
        if problems:
            return _page(problems), 422
        choose(user, sign_in.new_hash(new))
    except sign_in.SignInRefused as refused:
        return _page({"old": str(refused)}), 429 if refused.retry_after else 422
    flash("Password changed. All other browsers were signed out.", "good")
    return redirect(url_for("pages.account.index"), 303)


@blueprint.post("/settings/account/sessions/<session_id>/end")
def end_session(session_id: str) -> Response:
    """End another session of this person."""
    user: User = current_user.user
    if not sessions.end_one(user.id, id_of(session_id, "session")):
        raise not_found("session")
    audit_events.record_for_account(user.id, "session.ended", actor=user.id, session=session_id)
    transaction.commit()
    flash("The browser was signed out.", "good")
    return redirect(url_for("pages.account.index"), 303)


@blueprint.post("/settings/account/sessions/end-others")
def end_other_sessions() -> Response:
    """End all other sessions of this person."""
    user: User = current_user.user
    ended = sessions.end_all(user.id, but=sessions.present_id())
    audit_events.record_for_account(user.id, "session.ended", actor=user.id, sessions=ended)
    transaction.commit()
    flash("All other browsers were signed out.", "good")
    return redirect(url_for("pages.account.index"), 303)


@blueprint.post("/settings/project")
def switch_project() -> Response:
    """Make another project the current one."""
    wanted = id_of(request.form.get("project", ""), "project")
    found = find_membership(current_user.user.id, wanted)
    if found is None:
        raise not_found("project")
    session["project_id"] = str(wanted)
    flash(f"Switched to {found[0].name}.", "good")
    return redirect(safe_next(request.form.get("next")), 303)


def _page(problems: dict[str, str]) -> str:
    user: User = current_user.user
    return render_template(
        "account/account.html",
        problems=problems,
        projects=projects_of(user.id),
        shortest=passwords.SHORTEST,
        sessions=sessions.of(user.id),
        present=sessions.present_id(),
    )


def choose(user: User, password_hash: str) -> None:
    """Store the password that `user` has chosen, and end all other sessions."""
    user.password_hash = password_hash
    user.must_change_password = False
    sessions.end_all(user.id)
    audit_events.record_for_account(user.id, "password.changed", actor=user.id)
    db.session.flush()
    sessions.start(user)


def problems_of(new: str, again: str) -> dict[str, str]:
    """Return {input: what is wrong} for the new password."""
    if problem := passwords.problem(new):
        return {"new": problem}
    return {} if new == again else {"again": "The passwords do not match."}
