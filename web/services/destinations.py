"""Where stored secrets are sent. A person who changes it must enter the secrets again.

Editors see only masked secrets. Without this rule, they could send a stored secret to a server of their own, or over an
unprotected connection, and read it there.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from channels import CHANNELS
from models.secrets import fields

_PORTS = {"http": 80, "https": 443}
_SMTP_PORTS = {"none": 25, "starttls": 587, "tls": 465}
#: Field of a provider's config that holds a URL -> the URL that is called if it is empty.
_DEFAULT_URLS = {channel.url_field: channel.default_url for channel in CHANNELS.values() if channel.url_field}
_AGAIN = "What it is sent to has changed: enter the secret again."


def of_monitor(target: object, config: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the values that decide where a monitor's secrets are sent, and whether the connection is verified."""
    return (_origin(target), config.get("verifyTls") is not False)


def of_provider(config: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the values that decide where a provider's secrets are sent, and whether the connection is verified."""
    addresses = tuple(_origin(config.get(field) or default) for field, default in _DEFAULT_URLS.items())
    return (*addresses, _mail_server(config), config.get("verifyTls") is not False)


def _mail_server(config: Mapping[str, Any]) -> tuple[object, ...] | None:
    """Return host, port and encryption with defaults, or None for the installation's own server."""
    if not config.get("smtpHost"):
        return None
    security = config.get("smtpSecurity") or "starttls"
    return str(config["smtpHost"]).lower().rstrip("."), config.get("smtpPort") or _SMTP_PORTS.get(security), security


def _origin(address: object) -> object:
    """Return scheme, host and port of a URL, or the text itself if it is not a URL."""
    text = str(address).strip()
    try:
        parts = urlsplit(text)
        return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return text


def require_secrets_again(
    kind: str,
    given: object,
    wanted: Mapping[str, Any],
    old: Mapping[str, str],
    problems: dict[str, str],
) -> None:
    """Add a problem for each stored secret that `wanted`, the new config in plain text, keeps. Call it if the destination
    has changed.

    `old` holds the stored secrets by path. `given` is the config in the request: a secret counts as entered again if
    `given` contains it in plain text.
    """
    entered = fields.entered(kind, given if isinstance(given, dict) else {}, old)
    kept = fields.split(kind, wanted)[1]
    for path, value in kept.items():
        if path in old and value == old[path] and path not in entered:
            problems.setdefault(f"config.{path}", _AGAIN)
