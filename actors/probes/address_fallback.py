"""Tries the addresses of a name one after the other, as most clients do."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from actors.probes.outcome import Outcome, Status

MAX_ADDRESSES = 4


class Attempt(NamedTuple):
    """The outcome at one address. If `reached`, no other address is tried."""

    outcome: Outcome
    reached: bool


async def first_reached(
    addresses: Sequence[str], deadline: float, ask: Callable[[str, float], Awaitable[Attempt]]
) -> Outcome:
    """Return the outcome at the first address that is reached, else the most informative one.

    `ask` gets an address and a deadline on the clock of `time.monotonic`. Each address gets an equal share of the time that
    is left, so that an address that does not respond leaves time for the others.
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
    """Return a fault of the worker if there is one, because the untried address may work. Else the last failure."""
    faulty = next((outcome for outcome in failures if outcome.fault is not None), None)
    return faulty or next((outcome for outcome in reversed(failures) if outcome.status is Status.DOWN), failures[-1])
