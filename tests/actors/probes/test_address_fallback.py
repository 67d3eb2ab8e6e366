"""Addresses tried in turn: each gets its share of the time, the first one reached ends the search."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.probes.address_fallback import MAX_ADDRESSES, Attempt, first_reached
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.worker_fault import WorkerFault

KINDS = {
    "up": Attempt(Outcome(Status.UP), reached=True),
    "wrong": Attempt(Outcome(Status.DOWN, reason=Reason.UNEXPECTED_ANSWER), reached=True),
    "dead": Attempt(Outcome(Status.DOWN, reason=Reason.CONNECT_TIMEOUT), reached=False),
    "no route": Attempt(Outcome(Status.ERROR, reason=Reason.INTERNAL_ERROR), reached=False),
    "lacking": Attempt(
        Outcome(Status.ERROR, reason=Reason.INTERNAL_ERROR, fault=WorkerFault.DESCRIPTORS), reached=False
    ),
}
words = st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6)


@given(found=words)
def test_the_first_reached_decides_and_no_address_is_asked_after_it(found: list[str]) -> None:
    asked = []

    async def ask(ip: str, deadline: float) -> Attempt:
        asked.append(ip)
        return KINDS[found[int(ip)]]

    deadline = time.monotonic() + 10
    outcome = asyncio.run(first_reached([str(index) for index in range(len(found))], deadline, ask))
    tried = found[:MAX_ADDRESSES]
    first = next((index for index, word in enumerate(tried) if KINDS[word].reached), None)
    if first is not None:
        assert outcome is KINDS[tried[first]].outcome
        assert len(asked) == first + 1
        return
    # No address was reached: an address that we could not try leaves it open, else one that is dead decides.
    assert len(asked) == len(tried)
    expected = next(word for word in ("lacking", "dead", "no route") if word in tried)
    assert outcome is KINDS[expected].outcome


@pytest.mark.parametrize("number", [1, 2, 4])
def test_each_address_has_its_share_of_the_time_that_is_left(number: int) -> None:
    shares = []

    async def ask(ip: str, deadline: float) -> Attempt:
        shares.append(deadline - time.monotonic())
        return KINDS["dead"]

    # The time that one does not use goes to those after it.
    asyncio.run(first_reached(["127.0.0.1"] * number, time.monotonic() + 12, ask))
    assert shares == pytest.approx([12 / left for left in range(number, 0, -1)], abs=1)
