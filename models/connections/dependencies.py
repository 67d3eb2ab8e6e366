"""Circuit breakers for PostgreSQL and Redis: while one of them is unavailable, no caller waits long for it.

After `FAILURES` failed attempts in a row, a server counts as unavailable for `PAUSE_SECONDS`; then the next attempt is
made as usual. Breakers only shorten waits: a connection that works is always used. Each process has its own breakers and
reports them with its heartbeat (`actors/runtime/process_registry.py`). Check targets never have a breaker.
"""

from contextlib import AbstractContextManager

from circuitbreaker import STATE_CLOSED, CircuitBreaker

FAILURES = 3
#: Short, so that work continues within a second or two of the server's return.
PAUSE_SECONDS = 1


class Dependency:
    """One server, as the last attempts to connect found it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._breaker = CircuitBreaker(FAILURES, PAUSE_SECONDS, Exception, name=name)

    @property
    def healthy(self) -> bool:
        """Return whether the last attempt succeeded, or fewer than `FAILURES` failed."""
        return bool(self._breaker.state == STATE_CLOSED)

    @property
    def unavailable(self) -> bool:
        """Return whether several attempts in a row have just failed, so that another is hardly worth its time."""
        return bool(self._breaker.opened)

    def attempt(self) -> AbstractContextManager[None]:
        """Return a context in which to connect. An exception counts as a failure, a normal exit as a success."""
        counted: AbstractContextManager[None] = self._breaker
        return counted

    def reset(self) -> None:
        """Forget all failures."""
        self._breaker.reset()


DATABASE = Dependency("database")
BROKER = Dependency("broker")
ALL = (DATABASE, BROKER)


def unhealthy() -> list[str]:
    """Return the names of the servers whose last attempts failed."""
    return [dependency.name for dependency in ALL if not dependency.healthy]
