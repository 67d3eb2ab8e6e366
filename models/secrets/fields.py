"""Which fields of a config are secret, and how they are shown, kept and merged.

A config on the wire is one JSON object; at rest its secrets lie apart: `split` takes them out, `join` puts them back.
A secret's path is a dotted text such as `auth.password` or `headers.X-Api-Key`.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from channels import CHANNELS
from redaction import CREDENTIAL_NAME

#: Header names whose values are credentials: the same that probes leave out of evidence.
CREDENTIAL_HEADER = CREDENTIAL_NAME

MONITOR_FIELDS = ("auth.password", "auth.token")
_MARK = "…"


def mask(value: str) -> str:
    """The first and last two characters around an ellipsis; nothing at all of values shorter than 8."""
    return f"{value[:2]}{_MARK}{value[-2:]}" if len(value) >= 8 else _MARK


def _holder(config: Mapping[str, Any], path: str) -> tuple[dict[str, Any] | None, str]:
    """The innermost object of `path` in `config` (None where it is absent) and the last key. Header names may hold dots."""
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
            if isinstance(value, str) and value and (kind != "monitor" or CREDENTIAL_HEADER.search(name)):
                yield f"headers.{name}"


def split(kind: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """`config` as (public part, {path: secret}); secrets leave a masked text behind, so that pages need no key."""
    public = deepcopy(dict(config))
    secrets = {}
    for path in list(secret_paths(kind, config)):
        holder, key = _holder(public, path)
        assert holder is not None, "secret_paths yields only paths that exist"
        secrets[path] = holder[key]
        holder[key] = _shown(kind, path, holder[key])
    return public, secrets


def join(public: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """The whole config again, secrets in the clear. Paths whose place is gone are passed over."""
    whole = deepcopy(dict(public))
    for path, value in secrets.items():
        holder, key = _holder(whole, path)
        if holder is not None and key in holder:
            holder[key] = value
    return whole


def keep_masked(kind: str, config: Mapping[str, Any], old: Mapping[str, str]) -> dict[str, Any]:
    """`config` with every secret that still reads as its own mask put back to what it was."""
    kept = deepcopy(dict(config))
    for path, value in old.items():
        holder, key = _holder(kept, path)
        if holder is not None and holder.get(key) == _shown(kind, path, value):
            holder[key] = value
    return kept


def entered(kind: str, config: Mapping[str, Any], old: Mapping[str, str]) -> set[str]:
    """The paths of the secrets that stand in `config` in the clear, and not as the mask of what `old` holds."""
    found = {path: _held(config, path) for path in secret_paths(kind, config)}
    return {path for path, value in found.items() if path not in old or value != _shown(kind, path, old[path])}


def _held(config: Mapping[str, Any], path: str) -> Any:
    holder, key = _holder(config, path)
    return holder.get(key) if holder is not None else None


def _shown(kind: str, path: str, value: str) -> str:
    """What stands in answers and forms for `value`."""
    return _mask_url(value) if kind == "webhook" and path == "url" else mask(value)


def _mask_url(url: str) -> str:
    """A webhook's URL with its user-info and query masked, the rest left to recognise it by; all of it if unreadable."""
    try:
        parts = urlsplit(url)
    except ValueError:
        # The error's own text would carry the login into a log.
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
