"""What a port check sends and expects."""

import time
from dataclasses import dataclass, field

from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.wording import seconds

# Bytes of a response that are searched for the expected text.
MAX_RESPONSE = 64 * 1024


@dataclass(slots=True)
class Exchange:
    """One attempt on one port.

    `name` is the port as text. `deadline` is on the clock of `time.monotonic`, `timeout` its length in seconds. `timings` are
    phases of API.md's `timings` in milliseconds. `reached` is True if the address accepted the connection or responded, so
    that no other address is tried.
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
        """Return the seconds until the deadline, at least 0."""
        return max(0.0, self.deadline - time.monotonic())

    def up(self, response_time_ms: float | None) -> Outcome:
        """Return an outcome that is up."""
        return Outcome(Status.UP, response_time_ms)

    def down(self, reason: Reason, predicate: str, response_time_ms: float | None) -> Outcome:
        """Return an outcome that is down. `predicate` is the sentence without its subject."""
        return Outcome(Status.DOWN, response_time_ms, reason, f"{self.name} {predicate}.")

    def too_late(self, reason: Reason, predicate: str) -> Outcome:
        """Return the outcome of a timeout."""
        return self.down(reason, f"{predicate} within {seconds(self.timeout)}", round(self.timeout * 1000, 2))


def milliseconds_since(moment: float) -> float:
    """Return the milliseconds since `moment` on the clock of `time.monotonic`."""
    return round((time.monotonic() - moment) * 1000, 2)
