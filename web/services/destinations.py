"""Where stored secrets are sent: who changes that must enter them again.

A person who may edit sees secrets masked only. Without this rule they could have a stored secret sent to a server of their
own, or over a connection that others read, and learn it there.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from models.secrets import fields

_PORTS = {"http": 80, "https": 443}
_SMTP_PORTS = {"none": 25, "starttls": 587, "tls": 465}
#: Fields of a provider's config that hold an address.
_ADDRESSES = ("url", "webhookUrl", "apiBase")
_AGAIN = "What it is sent to has changed: enter the secret again."


def of_monitor(target: object, config: Mapping[str, Any]) -> tuple[object, ...]:
    """What decides where a monitor's secrets go, and how well the way there is protected."""
    return (_origin(target), config.get("verifyTls") is not False)


def of_provider(config: Mapping[str, Any]) -> tuple[object, ...]:
    """What decides where a provider's secrets go."""
    from notifications.telegram import API_BASE  # web loads no channel before it needs one

    addresses = tuple(_origin(config.get(name) or (API_BASE if name == "apiBase" else "")) for name in _ADDRESSES)
    return (*addresses, _mail_server(config), config.get("verifyTls") is not False)


def _mail_server(config: Mapping[str, Any]) -> tuple[object, ...] | None:
    """Host, port and encryption, defaults filled in; None for the installation's own server."""
    if not config.get("smtpHost"):
        return None
    security = config.get("smtpSecurity") or "starttls"
    return str(config["smtpHost"]).lower().rstrip("."), config.get("smtpPort") or _SMTP_PORTS.get(security), security


def _origin(address: object) -> object:
    """Scheme, host and port of a URL; the text itself if it is none."""
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
    """Add a problem for each stored secret that `wanted`, a config with its secrets in the clear, takes along.

    `old` holds the stored secrets by path, and `given` is the config as the request brought it. A secret counts as entered
    again if it stands there in the clear. To be called if the destination has changed.
    """
    entered = fields.entered(kind, given if isinstance(given, dict) else {}, old)
    kept = fields.split(kind, wanted)[1]
    for path, value in kept.items():
        if path in old and value == old[path] and path not in entered:
            problems.setdefault(f"config.{path}", _AGAIN)
