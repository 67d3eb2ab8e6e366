"""The meaning of PUT and PATCH: absent fields stay, records are merged by key, null removes a field."""

import json
from collections.abc import Mapping, Set
from typing import Any


def is_same(left: Any, right: Any) -> bool:
    """Return whether two values are the same JSON. In Python, 1 equals true and 1.0."""
    return left == right and json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def without_nulls(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `data` without the keys that are null, which get their defaults."""
    return {key: value for key, value in data.items() if value is not None}


def merge(before: Mapping[str, Any], changes: Mapping[str, Any], records: Set[str]) -> dict[str, Any]:
    """Return `before` with `changes`. Objects under the keys `records` are merged one level deeper; others are replaced."""
    merged = dict(before)
    for key, value in changes.items():
        old = merged.get(key)
        if key in records and isinstance(value, dict):
            merged[key] = merge(old if isinstance(old, dict) else {}, value, frozenset())
        else:
            merged[key] = value
    return without_nulls(merged)
