"""A limit on concurrent test messages: each holds a thread of this process until the service has responded."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from uuid import UUID

from web.http.errors import Problem

#: Concurrent test messages of one project, and of all projects.
PER_PROJECT = 2
AT_ALL = 16
RETRY_SECONDS = 10

_counting = Lock()
_under_way: Counter[UUID] = Counter()


@contextmanager
def reserve(project_id: UUID) -> Iterator[None]:
    """Count one test message inside the block. Raise a 429 `Problem` if the limit is reached."""
    with _counting:
        if _under_way[project_id] >= PER_PROJECT or _under_way.total() >= AT_ALL:
            message = "Other test messages are still being sent. Try again in a moment."
            raise Problem(429, message, headers={"Retry-After": str(RETRY_SECONDS)})
        _under_way[project_id] += 1
    try:
        yield
    finally:
        with _counting:
            _under_way[project_id] -= 1
            if not _under_way[project_id]:
                del _under_way[project_id]
