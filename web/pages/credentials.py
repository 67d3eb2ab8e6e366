"""What people are told of the credentials that they have just saved."""

from flask import flash

from web.saving import sealing
from web.saving.sealing import Holder

_NAMES = {"config.auth.password": "The password", "config.password": "The password", "config.auth.token": "The token"}


def warn_of_weak(saved: Holder) -> None:
    """Say on the next page which secrets of `saved` are easily guessed; it is saved all the same."""
    for warning in sealing.warnings(saved):
        name = _NAMES.get(warning.field) or warning.field.removeprefix("config.").replace("headers.", "The header ")
        name = "The signing secret" if name == "secret" else name
        flash(f"{name} is weak. {warning.message}", "warning")
