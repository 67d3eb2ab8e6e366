"""What people are told of what they have just saved: weak credentials, and settings that cannot have an effect."""

from flask import flash

from models.tables import Monitor
from web.features.monitors import consistency as monitor_consistency
from web.services import encryption as encryption
from web.services.encryption import Holder

_NAMES = {"config.auth.password": "The password", "config.password": "The password", "config.auth.token": "The token"}


def warn_of(saved: Holder) -> None:
    """Say on the next page what of `saved` is doubtful; it is saved all the same."""
    if isinstance(saved, Monitor):
        for found in monitor_consistency.warnings(saved):
            flash(found.message, "warning")
    for warning in encryption.warnings(saved):
        name = _NAMES.get(warning.field) or warning.field.removeprefix("config.").replace("headers.", "The header ")
        name = "The signing secret" if name == "secret" else name
        flash(f"{name} is weak. {warning.message}", "warning")
