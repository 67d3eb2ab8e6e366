"""Breakers round the two servers that everything here needs: while one is away, nobody waits long for it.

After `FAILURES` failures in a row a server counts as away for `PAUSE_SECONDS`; then the next one who wants it tries again.
They shorten waiting and refuse nothing that is there: a connection that works is always used. Each process judges for
itself, and says so with its signs of life (`actors/runtime/process_registry.py`). Targets never have a breaker.
"""

from contextlib import AbstractContextManager

from circuitbreaker import STATE_CLOSED, CircuitBreaker

FAILURES = 3
#: Short, so that whatever waits goes on within a second or two of the server's return.
PAUSE_SECONDS = 1


class Dependency:
    """One server, as the last attempts to connect to it found it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._breaker = CircuitBreaker(FAILURES, PAUSE_SECONDS, Exception, name=name)

    @property
    def fine(self) -> bool:
        """Whether the last attempt succeeded, or too few have failed to tell."""
        return bool(self._breaker.state == STATE_CLOSED)

    @property
    def away(self) -> bool:
        """Whether several attempts have failed in a row just now, so that another is hardly worth its time."""
        return bool(self._breaker.opened)

    def attempt(self) -> AbstractContextManager[None]:
        """Connect inside: what is raised counts as a failure, and nothing raised as success."""
        counted: AbstractContextManager[None] = self._breaker
        return counted

    def forget(self) -> None:
        """Treat it as if it had never failed."""
        self._breaker.reset()


DATABASE = Dependency("database")
BROKER = Dependency("broker")
ALL = (DATABASE, BROKER)


def not_fine() -> list[str]:
    """The names of those that were not there lately."""
    return [one.name for one in ALL if not one.fine]
