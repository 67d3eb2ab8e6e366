"""Which fields of a config are secret, and how they are masked, kept and merged.

On the wire a config is one JSON object. It is stored without its secrets, which are encrypted separately: `split` takes
them out, `join` puts them back. The path of a secret is a dotted string such as `auth.password` or `headers.X-Api-Key`.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from channels import CHANNELS
from redaction import CREDENTIAL_NAME

MONITOR_FIELDS = ("auth.password", "auth.token")
_MARK = "…"


def mask(value: str) -> str:
    """Return the first and last two characters around an ellipsis; only the ellipsis if `value` is shorter than 8."""
    return f"{value[:2]}{_MARK}{value[-2:]}" if len(value) >= 8 else _MARK


def _holder(config: Mapping[str, Any], path: str) -> tuple[dict[str, Any] | None, str]:
    """Return the innermost object of `path` in `config` (None if absent) and the last key. Header names may contain dots."""
    head, dot, tail = path.partition(".")
    if not dot:
        return (config if isinstance(config, dict) else None), path
    inner = config.get(head)
    return (inner if isinstance(inner, dict) else None), tail


def secret_paths(kind: str, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths in `config` that hold a secret; `kind` is a provider's type, or `monitor`.

    The values of a monitor's headers are secret if their names look like credentials, those of a provider's always.
    """
    channel = CHANNELS.get(kind)
    fields = MONITOR_FIELDS if kind == "monitor" else channel.secret_fields if channel else ()
    for path in fields:
        holder, key = _holder(config, path)
        if holder and isinstance(holder.get(key), str) and holder[key]:
            yield path
    headers = config.get("headers")
    if isinstance(headers, dict):
        for name, value in headers.items():
            if isinstance(value, str) and value and (kind != "monitor" or CREDENTIAL_NAME.search(name)):
                yield f"headers.{name}"


def split(kind: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return `config` as (public part, {path: secret}). The public part has masks in their place, so pages need no key."""
    public = deepcopy(dict(config))
    secrets = {}
    for path in list(secret_paths(kind, config)):
        holder, key = _holder(public, path)
        assert holder is not None, "secret_paths yields only paths that exist"
        secrets[path] = holder[key]
        holder[key] = _masked(kind, path, holder[key])
    return public, secrets


def join(public: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """Return the config with its secrets in plain text. Skip paths that `public` does not have."""
    whole = deepcopy(dict(public))
    for path, value in secrets.items():
        holder, key = _holder(whole, path)
        if holder is not None and key in holder:
            holder[key] = value
    return whole


def keep_masked(kind: str, config: Mapping[str, Any], old: Mapping[str, str]) -> dict[str, Any]:
    """Return `config` with every secret that is still its own mask restored from `old`."""
    kept = deepcopy(dict(config))
    for path, value in old.items():
        holder, key = _holder(kept, path)
        if holder is not None and holder.get(key) == _masked(kind, path, value):
            holder[key] = value
    return kept


def entered(kind: str, config: Mapping[str, Any], old: Mapping[str, str]) -> set[str]:
    """Return the paths of the secrets in `config` that are new, that is, not the mask of the secret in `old`."""
    values = {path: _value(config, path) for path in secret_paths(kind, config)}
    return {path for path, value in values.items() if path not in old or value != _masked(kind, path, old[path])}


def _value(config: Mapping[str, Any], path: str) -> Any:
    holder, key = _holder(config, path)
    return holder.get(key) if holder is not None else None


def _masked(kind: str, path: str, value: str) -> str:
    """Return what responses and forms show for `value`."""
    return _mask_url(value) if kind == "webhook" and path == "url" else mask(value)


def _mask_url(url: str) -> str:
    """Return the URL of a webhook with user info and query masked; mask all of it if it cannot be parsed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        # The text of the error contains the login and would end up in a log.
        return mask(url)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(
        (
            parts.scheme,
            (mask(user) + at if at else "") + host,
            parts.path,
            parts.query and mask(parts.query),
            parts.fragment,
        )
    )
