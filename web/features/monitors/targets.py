"""The target of a monitor: its syntax, and whether the guard allows it."""

import ipaddress
import re
from urllib.parse import urlsplit

import guard
import host_names
import settings
from check_types import CHECK_TYPES, TargetForm

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")


def check(kind: str, target: str) -> str:
    """Return the host of `target`, empty if the type has none. Raise `ValueError` with a sentence for people."""
    form = CHECK_TYPES[kind].target if kind in CHECK_TYPES else TargetForm.NONE
    if form is TargetForm.URL:
        host = host_of_url(target)
        _check_protocol(urlsplit(target).scheme)
        return host
    return _host(target) if form is TargetForm.HOST else ""


def check_guard(host: str) -> None:
    """Raise `ValueError` if the operator does not allow `host`, or all addresses that it resolves to."""
    try:
        guard.judge_host_at_save(host)
    except guard.BlockedTarget as error:
        raise ValueError(str(error)) from None


def host_of_url(url: str, *, user_info: bool = False) -> str:
    """Return the host of an http or https URL, which may contain credentials if `user_info` is set.

    Raise `ValueError` with a sentence for people.
    """
    if not url:
        raise ValueError("This field is required.")
    if _FORBIDDEN.search(url):
        raise ValueError("Must not contain spaces, backslashes or control characters.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("Not a valid URL.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("Must be a URL that begins with http:// or https:// and has a host.")
    if parts.username is not None and not user_info:
        raise ValueError(
            "Must not contain a user name or password. Enter them under Advanced, Authentication (API: config.auth)."
        )
    if port == 0:
        raise ValueError("Port 0 cannot be connected to.")
    return _host(host)


def _check_protocol(scheme: str) -> None:
    allowed = settings.get().allowed_protocols
    if scheme not in allowed:
        raise ValueError(
            f"Only {' and '.join(allowed)} is allowed here. An operator may allow {scheme} with ALLOWED_PROTOCOLS."
        )


def _host(text: str) -> str:
    """Return `text` as a host name or an IP address without brackets. Raise `ValueError` with a sentence for people."""
    if not text:
        raise ValueError("This field is required.")
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return _name(text)
    if getattr(address, "scope_id", None):
        raise ValueError("An address with a zone is valid on one machine only.")
    return bare


def _name(text: str) -> str:
    try:
        ascii_name = host_names.to_ascii(text).removesuffix(".")
    except UnicodeError:
        raise ValueError("Not a valid host name.") from None
    labels = ascii_name.split(".")
    if len(ascii_name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("Must be only a host name or an IP address, such as example.com or 192.0.2.7.")
    if labels[-1].isdigit():
        raise ValueError("Not a valid IP address: it has four numbers from 0 to 255, such as 192.0.2.7.")
    return text
