"""Measures stalls of a check worker's event loop.

A process that is stopped, suspended, starved of CPU or blocked by one slow callback cannot read responses, so checks time
out although their targets have responded. A timer fires every `BEAT_INTERVAL_SECONDS`; its delay is the stall.
"""

import asyncio
import math
import time
from dataclasses import replace
from typing import NamedTuple

from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from actors.runtime import telemetry

#: Interval of the timer while checks run.
BEAT_INTERVAL_SECONDS = 0.1
#: Delay of the timer that does not count as a stall: timers are not exact.
BEAT_TOLERANCE_SECONDS = 0.1
#: Shorter stalls never affect an outcome.
MIN_STALL_SECONDS = 0.5
#: A shorter stall, as a share of the check's duration, cannot have caused its outcome: a target that hangs for minutes
#: must be down even if the worker was busy for a moment.
MIN_STALL_SHARE = 0.1

#: Failures that a stall of the worker cannot cause.
_INDEPENDENT_OF_TIME = frozenset(
    {
        Reason.CONNECTION_REFUSED,
        Reason.PORT_CLOSED,
        Reason.TLS_ERROR,
        Reason.PROTOCOL_ERROR,
        Reason.UNEXPECTED_STATUS,
        Reason.KEYWORD_MISSING,
        Reason.KEYWORD_PRESENT,
        Reason.RESPONSE_TOO_LARGE,
        Reason.TOO_MANY_REDIRECTS,
    }
)
#: The status that a server sends when it has waited too long for the request.
_REQUEST_TIMEOUT = 408
#: Keys of an outcome's details that hold times.
_TIME_KEYS = frozenset({"timings", "rttMs"})


def clocks() -> tuple[float, float, float]:
    """Return three clocks, in seconds.

    The first stops while the machine sleeps. The second counts sleep. The third is set forward after a virtual machine
    was suspended, during which both others stopped.
    """
    return time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time()


class Stall(NamedTuple):
    """The seconds that the loop was stalled during a check of `length` seconds."""

    seconds: float
    length: float

    @property
    def matters(self) -> bool:
        """Return whether the stall can have changed the outcome."""
        return self.seconds >= max(MIN_STALL_SECONDS, MIN_STALL_SHARE * self.length)


class CheckStart(NamedTuple):
    """The start of a check: the total of all stalls so far, and the clocks."""

    stalled: float
    clocks: tuple[float, float, float]


class StallDetector:
    """Measures the stalls of one event loop. Not thread-safe. Costs nothing while no check runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._total = 0.0
        self._last_beat = clocks()
        self._checks = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> CheckStart:
        """Record the start of a check. Pass the result to `end`."""
        self._checks += 1
        if self._timer is None:
            self._last_beat = clocks()
            self._timer = self._loop.call_later(BEAT_INTERVAL_SECONDS, self._beat)
        return CheckStart(self._stalled(), clocks())

    def end(self, start: CheckStart) -> Stall:
        """Return the stall since `begin` returned `start`."""
        stall = Stall(self._stalled() - start.stalled, _elapsed(start.clocks))
        self._checks -= 1
        if self._checks == 0 and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return stall

    def _beat(self) -> None:
        stalled = self._stalled()
        telemetry.LOOP_STALLS.inc(stalled - self._total)
        self._total = stalled
        self._last_beat = clocks()
        self._timer = self._loop.call_later(BEAT_INTERVAL_SECONDS, self._beat)

    def _stalled(self) -> float:
        """Return the total of all stalls, including the current one: a check may end before the delayed timer fires."""
        return self._total + max(0.0, _elapsed(self._last_beat) - BEAT_INTERVAL_SECONDS - BEAT_TOLERANCE_SECONDS)


def _elapsed(since: tuple[float, float, float]) -> float:
    """Return the seconds since `since`, by the clock that advanced most."""
    return max(now - before for now, before in zip(clocks(), since, strict=True))


def accept(outcome: Outcome, target: Target, stall: Stall) -> Outcome | None:
    """Return `outcome`, or None if the check must be repeated because the stall can have caused it.

    A refused connection or a wrong response is valid however late it was read. Its measured times are not, so they are
    removed.
    """
    if not (stall.matters or _is_slow_only_by(outcome, target, stall.seconds)):
        return outcome
    unknown_error = outcome.reason is Reason.INTERNAL_ERROR and outcome.fault is None
    if outcome.status is Status.ERROR and not unknown_error:
        return outcome
    is_independent = outcome.reason in _INDEPENDENT_OF_TIME and outcome.details.get("statusCode") != _REQUEST_TIMEOUT
    if outcome.status is Status.UP or is_independent:
        details = {name: value for name, value in outcome.details.items() if name not in _TIME_KEYS}
        return replace(outcome, response_time_ms=None, details=details)
    return None


def _is_slow_only_by(outcome: Outcome, target: Target, stalled: float) -> bool:
    """Return whether the response would have been fast enough without the stall."""
    if not stalled or outcome.reason is not Reason.RESPONSE_TOO_SLOW or outcome.response_time_ms is None:
        return False
    allowed = target.config.get("maxResponseTimeMs") or math.inf
    return outcome.response_time_ms - stalled * 1000 <= allowed
