"""Sign-out."""

from flask import Blueprint, flash, redirect, url_for
from werkzeug.wrappers import Response

from web.http import sign_in

blueprint = Blueprint("sign_in", __name__)


@blueprint.post("/logout")
def logout() -> Response:
    """End the session and redirect to the sign-in page."""
    sign_in.sign_out()
    flash("You have signed out.", "good")
    return redirect(url_for("public.sign_in.login"), 303)
