"""Warnings after a save: weak credentials, and settings without effect."""

from flask import flash

from models.tables import Monitor
from web.features.monitors import consistency as monitor_consistency
from web.services import stored_secrets
from web.services.stored_secrets import Holder

_NAMES = {"config.auth.password": "The password", "config.password": "The password", "config.auth.token": "The token"}


def warn_of(saved: Holder) -> None:
    """Flash the warnings about `saved`. It is saved in any case."""
    if isinstance(saved, Monitor):
        for warning in monitor_consistency.warnings(saved):
            flash(warning.message, "warning")
    for warning in stored_secrets.warnings(saved):
        name = _NAMES.get(warning.field) or warning.field.removeprefix("config.").replace("headers.", "The header ")
        name = "The signing secret" if name == "secret" else name
        flash(f"{name} is weak. {warning.message}", "warning")
