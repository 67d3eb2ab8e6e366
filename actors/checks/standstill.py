"""Measures how long the event loop of a check worker stood still.

A process that is stopped, suspended, starved of CPU or held up by one long turn of its loop cannot read answers: their
time runs out although the targets have answered. A beat every `BEAT_SECONDS` measures how late the loop runs.
"""

import asyncio
import math
import time
from dataclasses import replace
from typing import NamedTuple

from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from actors.runtime import telemetry

#: How often the loop is expected to come round while checks run.
BEAT_SECONDS = 0.1
#: A beat may be late by this much: timers and busy moments are not exact.
TOLERANCE_SECONDS = 0.1
#: Less than this of one check is never held against its outcome.
LEAST_SECONDS = 0.5
#: A standstill of at least this share of a check can have changed its outcome. Less is a hiccup: a target that hangs for
#: minutes must be down although the worker is busy.
SHARE = 0.1

#: Failures that no delay of ours can bring about.
_UNTIMED = frozenset(
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
#: The status of a server that has waited too long for our request.
_TIMEOUT = 408
#: The keys of an outcome's details that hold times.
_TIMES = frozenset({"timings", "rttMs"})


def clocks() -> tuple[float, float, float]:
    """Return three clocks, in seconds.

    The first stops while the machine sleeps; the second counts sleep; the third is set forward after a virtual machine
    was suspended with both others standing still.
    """
    return time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time()


class Stood(NamedTuple):
    """A check of `length` seconds, during `seconds` of which the loop stood still."""

    seconds: float
    length: float

    @property
    def matters(self) -> bool:
        """Whether this can have changed what the check found."""
        return self.seconds >= max(LEAST_SECONDS, SHARE * self.length)


class Begin(NamedTuple):
    """The begin of a check: all standstills until then, and the clocks."""

    reading: float
    at: tuple[float, float, float]


class Standstill:
    """The standstills of one event loop. Belongs to the loop; costs nothing while `checks` is zero."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._total = 0.0
        self._last = clocks()
        self._checks = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Begin:
        """Note the begin of a check, for `end`."""
        self._checks += 1
        if self._timer is None:
            self._last = clocks()
            self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)
        return Begin(self._reading(), clocks())

    def end(self, began: Begin) -> Stood:
        """Return how long the loop stood still since `begin` returned `began`."""
        stood = Stood(self._reading() - began.reading, _longest(began.at))
        self._checks -= 1
        if self._checks == 0 and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return stood

    def _beat(self) -> None:
        reading = self._reading()
        telemetry.STANDSTILL.inc(reading - self._total)
        self._total = reading
        self._last = clocks()
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)

    def _reading(self) -> float:
        """Return all standstills so far, the present one included: a check may end before the late beat runs."""
        return self._total + max(0.0, _longest(self._last) - BEAT_SECONDS - TOLERANCE_SECONDS)


def _longest(since: tuple[float, float, float]) -> float:
    """Return the seconds since then by the clock that has moved most."""
    return max(now - before for now, before in zip(clocks(), since, strict=True))


def believe(outcome: Outcome, target: Target, stood: Stood) -> Outcome | None:
    """Return `outcome` as far as it holds after the standstill, None if it must be measured again.

    A refusal or a wrong answer is one however long we took to read it; the times measured are not the target's.
    """
    if not (stood.matters or _is_slow_by(outcome, target, stood.seconds)):
        return outcome
    unknown_error = outcome.reason is Reason.INTERNAL_ERROR and outcome.fault is None
    if outcome.status is Status.ERROR and not unknown_error:
        return outcome
    if outcome.status is Status.UP or (outcome.reason in _UNTIMED and outcome.details.get("statusCode") != _TIMEOUT):
        details = {name: value for name, value in outcome.details.items() if name not in _TIMES}
        return replace(outcome, response_time_ms=None, details=details)
    return None


def _is_slow_by(outcome: Outcome, target: Target, stood_still: float) -> bool:
    """Return whether an answer is too slow only by the time that we stood still."""
    if not stood_still or outcome.reason is not Reason.RESPONSE_TOO_SLOW or outcome.response_time_ms is None:
        return False
    allowed = target.config.get("maxResponseTimeMs") or math.inf
    return outcome.response_time_ms - stood_still * 1000 <= allowed
