"""What the engine is given and what it returns.

A batch holds prepared targets, and results go to a `ResultSink`. So the engine needs neither database nor broker, and an
agent without them can use it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from actors.probes.outcome import Outcome
from actors.probes.target import Target


class PreparedCheck(NamedTuple):
    """A target ready to be probed.

    `retries` is the number of immediate rechecks after a failure. `fault` is a sentence that says why the target cannot be
    probed, empty if it can. `host` is the host of the first connection, empty if there is none. `project_id` is
    needed because capacity is shared fairly among projects.
    """

    version: int
    target: Target
    retries: int
    fault: str = ""
    host: str = ""
    project_id: UUID | None = None


class ScheduledCheck(NamedTuple):
    """One check and its fire time."""

    monitor_id: UUID
    scheduled_for: datetime
    prepared: PreparedCheck


@dataclass(slots=True, eq=False)
class Batch:
    """The checks of one execution message. `done` is called when the last of their results is durable.

    `expected` lists all locations of the round, or is None if `location` is the only one. `in_flight` and `unwritten`
    count down to zero.
    """

    kind: str
    location: str | None
    expected: list[str] | None
    checks: Sequence[ScheduledCheck]
    done: Callable[[], None]
    in_flight: int = field(init=False)
    unwritten: int = field(init=False)

    def __post_init__(self) -> None:
        self.in_flight = self.unwritten = len(self.checks)


class CheckResult(NamedTuple):
    """The outcome of one check of `batch`, and when it started."""

    batch: Batch
    check: ScheduledCheck
    started: datetime
    outcome: Outcome


class ResultSink(Protocol):
    """Where results go. The engine calls both methods on its event loop."""

    def put(self, result: CheckResult) -> None:
        """Accept one result. Call `result.batch.done` when all results of the batch are durable."""

    async def drain(self) -> None:
        """Return when all accepted results are durable."""
