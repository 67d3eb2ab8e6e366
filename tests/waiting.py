"""Wait for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def until(condition: Callable[[], Value], *, within: float = 20, what: str = "") -> Value:
    """The first true answer of `condition`, asked again and again; fails after `within` seconds."""
    end = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"still not after {within} s: {what or condition}, last answer {value!r}")
        time.sleep(0.02)
