"""Regular expressions of users over text of targets, bounded in time.

A pattern such as `(a|aa)+$` can keep the standard library's engine busy for hours, and with it every other check of the
worker. The `regex` library gives up when it is told to; what remains of `BUDGET_SECONDS` is shared by all the searches
of one evaluation.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

import regex  # type: ignore[import-untyped]

BUDGET_SECONDS = 0.1
_ends: ContextVar[float] = ContextVar("pattern_budget_ends")


@contextmanager
def budget() -> Iterator[None]:
    """One evaluation: searches inside raise `TimeoutError` once they have used `BUDGET_SECONDS` of time."""
    token = _ends.set(time.monotonic() + BUDGET_SECONDS)
    try:
        yield
    finally:
        _ends.reset(token)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> "regex.Pattern | None":
    try:
        return regex.compile(pattern)
    except (regex.error, ArithmeticError, RecursionError, ValueError):
        return None


def is_valid(pattern: str) -> bool:
    """Whether `pattern` is a regular expression."""
    return _compiled(pattern) is not None


def found_in(pattern: str, text: str, *, whole: bool = False) -> bool:
    """Whether `pattern` is found in `text`, or is all of it; an invalid one is never found.

    Raises `TimeoutError` when the budget is used up.
    """
    compiled = _compiled(pattern)
    if compiled is None:
        return False
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError
    search = compiled.fullmatch if whole else compiled.search
    return search(text, timeout=left) is not None
