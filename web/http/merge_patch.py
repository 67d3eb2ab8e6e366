"""What PUT and PATCH mean: absent fields stay, records are merged by key, null removes."""

import json
from collections.abc import Mapping, Set
from typing import Any


def is_same(left: Any, right: Any) -> bool:
    """Whether two values are the same JSON. Python takes 1 and true, and 1 and 1.0, for equal."""
    return left == right and json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def without_nulls(data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` without the keys that are null: they get their defaults."""
    return {key: value for key, value in data.items() if value is not None}


def merge(before: Mapping[str, Any], changes: Mapping[str, Any], records: Set[str]) -> dict[str, Any]:
    """`before` with `changes`: keys of `records` hold objects that are merged one level further, others are replaced."""
    merged = dict(before)
    for key, value in changes.items():
        old = merged.get(key)
        if key in records and isinstance(value, dict):
            merged[key] = merge(old if isinstance(old, dict) else {}, value, frozenset())
        else:
            merged[key] = value
    return without_nulls(merged)
