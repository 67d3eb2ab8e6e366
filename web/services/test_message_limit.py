"""Places for test messages: each holds a thread of this process until the service has answered."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from uuid import UUID

from web.http.errors import Problem

#: Test messages of one project, and of all of them, that may wait for an answer at once.
PER_PROJECT = 2
AT_ALL = 16
RETRY_SECONDS = 10

_counting = Lock()
_under_way: Counter[UUID] = Counter()


@contextmanager
def reserve(project_id: UUID) -> Iterator[None]:
    """A place for one test message. Raises a 429 `Problem` if there is none."""
    with _counting:
        if _under_way[project_id] >= PER_PROJECT or _under_way.total() >= AT_ALL:
            words = "Other test messages still wait for an answer; try again in a moment."
            raise Problem(429, words, headers={"Retry-After": str(RETRY_SECONDS)})
        _under_way[project_id] += 1
    try:
        yield
    finally:
        with _counting:
            _under_way[project_id] -= 1
            if not _under_way[project_id]:
                del _under_way[project_id]
