"""The processor time that one evaluation of a user's expression may take.

The thread's own processor time counts: a loaded machine must not turn a good answer into a failure.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: When the time is used up at the earliest, on the monotonic clock; when it is, in processor time of the thread.
_end: ContextVar[tuple[float, float]] = ContextVar("evaluation_end")


class TooSlow(Exception):
    """The evaluation used up its time."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let `look_at_the_clock` raise `TooSlow` after `seconds` of processor time of this thread."""
    token = _end.set((time.monotonic() + seconds, time.thread_time() + seconds))
    try:
        yield
    finally:
        _end.reset(token)


def look_at_the_clock() -> None:
    """Raise `TooSlow` if the time of the evaluation is used up. Call it at every step that can repeat."""
    earliest, end = _end.get()
    # The monotonic clock costs a tenth of the other one.
    if time.monotonic() > earliest and time.thread_time() > end:
        raise TooSlow
