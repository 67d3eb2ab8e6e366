"""The page for a person with a temporary password: they choose their own before they can do anything else."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from models.tables import User
from web.features.account.pages import choose, problems_of
from web.http import passwords, sign_in
from web.http.extensions import db

blueprint = Blueprint("first_password", __name__)


@blueprint.get("/first-password")
def index() -> str | Response:
    """Return the form, or redirect to the dashboard if the person has their own password."""
    if not current_user.user.must_change_password:
        return redirect(url_for("pages.dashboard.index"))
    return _page({})


@blueprint.post("/first-password")
def change() -> Response | tuple[str, int]:
    """Store the new password. The temporary password is rejected as the new one."""
    user: User = current_user.user
    if not user.must_change_password:
        return redirect(url_for("pages.dashboard.index"), 303)
    new = request.form.get("new", "")
    problems = problems_of(new, request.form.get("again", ""))
    try:
        # Return the connection before the hash is computed.
        db.session.commit()
        if not problems and passwords.password_fits(user, new):
            problems = {"new": "This is your temporary password. Choose a different one."}
        if problems:
            return _page(problems), 422
        choose(user, sign_in.new_hash(new))
    except sign_in.SignInRefused as refused:
        return _page({"new": str(refused)}), 429
    flash("Password changed.", "good")
    return redirect(url_for("pages.dashboard.index"), 303)


def _page(problems: dict[str, str]) -> str:
    return render_template("account/first_password.html", problems=problems, shortest=passwords.SHORTEST)
