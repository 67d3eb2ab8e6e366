"""Limits the processor time of one evaluation of a user's expression.

Only the thread's own processor time counts, so that a loaded machine does not turn a good response into a failure.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: The earliest possible end on the monotonic clock, and the end in processor time of the thread.
_end: ContextVar[tuple[float, float]] = ContextVar("evaluation_end")


class TooSlow(Exception):
    """The evaluation used up its time."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let `check_time` raise `TooSlow` after `seconds` of processor time of this thread."""
    token = _end.set((time.monotonic() + seconds, time.thread_time() + seconds))
    try:
        yield
    finally:
        _end.reset(token)


def check_time() -> None:
    """Raise `TooSlow` if the time of the evaluation is used up. Call it at every step that can repeat."""
    earliest, end = _end.get()
    # Reading the monotonic clock costs a tenth of reading the other one.
    if time.monotonic() > earliest and time.thread_time() > end:
        raise TooSlow
