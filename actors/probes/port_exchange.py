"""What a port check says to the port and wants to hear."""

import time
from dataclasses import dataclass, field

from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.wording import seconds

# So much of an answer is searched for what is expected.
LARGEST_ANSWER = 64 * 1024


@dataclass(slots=True)
class Exchange:
    """One try on one port. `name` is the port in words; `deadline` is on the clock of `time.monotonic`, `timeout` its
    length in seconds; `timings` collects phases of API.md's `timings`, in milliseconds. `reached`
    says that somebody at this address took the connection or answered: no other address needs to be tried.
    """

    ip: str
    port: int
    send: bytes
    expect: bytes
    name: str
    timeout: float
    deadline: float
    timings: dict[str, float] = field(default_factory=dict)
    reached: bool = False

    @property
    def left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def up(self, response_time_ms: float | None) -> Outcome:
        """The port is as it should be."""
        return Outcome(Status.UP, response_time_ms)

    def down(self, reason: Reason, predicate: str, response_time_ms: float | None) -> Outcome:
        """The port is not; `predicate` is the sentence without its subject."""
        return Outcome(Status.DOWN, response_time_ms, reason, f"{self.name} {predicate}.")

    def too_late(self, reason: Reason, predicate: str) -> Outcome:
        """The deadline passed."""
        return self.down(reason, f"{predicate} within {seconds(self.timeout)}", round(self.timeout * 1000, 2))


def milliseconds_since(moment: float) -> float:
    """From `moment`, a reading of `time.monotonic`, until now."""
    return round((time.monotonic() - moment) * 1000, 2)
