"""The differences that a change made, for the audit trail: fields with old and new values, without secrets."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

_MAX_LENGTH = 200


def between(before: Mapping[str, Any], after: Mapping[str, Any], secret: Set[str]) -> dict[str, dict[str, Any]]:
    """Return {dotted path: {"from", "to"}} of the differences, without fields whose path in `config` is in `secret`."""
    old, new = dict(_flat(before)), dict(_flat(after))
    hidden = {f"config.{path}" for path in secret}
    return {
        path: {"from": _short(old.get(path)), "to": _short(new.get(path))}
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path) and path not in hidden
    }


def _flat(values: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        path = f"{under}.{name}" if under else name
        if isinstance(value, Mapping) and value:
            yield from _flat(value, path)
        else:
            yield path, value or None if isinstance(value, Mapping) else value


def _short(value: Any) -> Any:
    """Return `value`, shortened to fit into a list of events."""
    if isinstance(value, str) and len(value) > _MAX_LENGTH:
        return value[:_MAX_LENGTH] + "…"
    if isinstance(value, list) and len(str(value)) > _MAX_LENGTH:
        return str(value)[:_MAX_LENGTH] + "…"
    return value
