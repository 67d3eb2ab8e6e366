"""Signing in and out."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from web.http import sign_in
from web.ui.access import safe_next

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/login")
def login() -> str | Response:
    """The sign-in form; who is signed in already goes on."""
    wanted = safe_next(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(wanted)
    return render_template("login.html", next=wanted, email="", error="")


@blueprint.post("/login")
def submit() -> Response | tuple[str, int]:
    """Start the session and go on to `next`, or show the form again with what is wrong."""
    wanted = safe_next(request.form.get("next") or request.args.get("next"))
    email = request.form.get("email", "")
    try:
        sign_in.sign_in(email, request.form.get("password", ""), request.remote_addr or "")
    except sign_in.SignInRefused as refused:
        status = 429 if refused.retry_after else 401
        return render_template("login.html", next=wanted, email=email, error=str(refused)), status
    return redirect(wanted, 303)


@blueprint.post("/logout")
def logout() -> Response:
    """End the session."""
    sign_in.sign_out()
    flash("You have signed out.", "good")
    return redirect(url_for("pages.sign_in.login"), 303)
