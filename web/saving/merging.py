"""What PUT and PATCH mean: absent fields stay, records are merged by key, null removes."""

from collections.abc import Mapping, Set
from typing import Any


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
