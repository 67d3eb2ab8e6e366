"""What a change changed, for the audit trail: each field with its value before and after, secrets left out."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

_LONGEST = 200


def between(before: Mapping[str, Any], after: Mapping[str, Any], secret: Set[str]) -> dict[str, dict[str, Any]]:
    """{dotted path: {"from", "to"}} of what differs. Fields whose path within `config` is in `secret` are left out."""
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
    """A value that is not too long for a list of events."""
    if isinstance(value, str) and len(value) > _LONGEST:
        return value[:_LONGEST] + "…"
    if isinstance(value, list) and len(str(value)) > _LONGEST:
        return str(value)[:_LONGEST] + "…"
    return value
