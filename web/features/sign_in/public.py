"""The sign-in page. It is public: it needs no session."""

from flask import Blueprint, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from web.http import sign_in
from web.ui.access import safe_next

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/login")
def login() -> str | Response:
    """Return the sign-in form, or redirect to `next` if the person is signed in already."""
    wanted = safe_next(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(wanted)
    return render_template("sign_in/login.html", next=wanted, email="", error="")


@blueprint.post("/login")
def submit() -> Response | tuple[str, int]:
    """Start a session and redirect to `next`, or return the form with the error."""
    wanted = safe_next(request.form.get("next") or request.args.get("next"))
    email = request.form.get("email", "")
    try:
        sign_in.sign_in(email, request.form.get("password", ""), request.remote_addr or "")
    except sign_in.SignInRefused as refused:
        status = 429 if refused.retry_after else 401
        return render_template("sign_in/login.html", next=wanted, email=email, error=str(refused)), status
    return redirect(wanted, 303)
