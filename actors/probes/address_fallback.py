"""The addresses of a name, tried one after the other, as programs do that connect to it."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from actors.probes.outcome import Outcome, Status

MAX_ADDRESSES = 4


class Attempt(NamedTuple):
    """What was found at one address; `reached` ends the search, whatever the outcome."""

    outcome: Outcome
    reached: bool


async def first_reached(
    addresses: Sequence[str], deadline: float, ask: Callable[[str, float], Awaitable[Attempt]]
) -> Outcome:
    """Return the outcome at the first address that is reached, else the one that says most about the target.

    `ask` takes an address and its own deadline; deadlines are on the clock of `time.monotonic`. Each address has its
    share of the time that is left, so that one which swallows everything leaves time for the others.
    """
    failures: list[Outcome] = []
    tried = addresses[:MAX_ADDRESSES]
    for index, ip in enumerate(tried):
        now = time.monotonic()
        outcome, reached = await ask(ip, now + max(0.0, deadline - now) / (len(tried) - index))
        if reached:
            return outcome
        failures.append(outcome)
    return _most_informative(failures)


def _most_informative(failures: Sequence[Outcome]) -> Outcome:
    """Return the last failure of the target. An address that we had no means to try may be the one that works."""
    lacking = next((one for one in failures if one.fault is not None), None)
    return lacking or next((one for one in reversed(failures) if one.status is Status.DOWN), failures[-1])
