"""Permits are shared fairly in any order of calls."""

import threading
from collections import Counter
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime.fair_semaphore import FAIRNESS_FACTOR, FairSemaphore

PROJECTS = "abcd"
STEPS = st.lists(st.tuples(st.sampled_from(["acquire", "release", "cancel"]), st.sampled_from(PROJECTS)), max_size=150)


@settings(deadline=None)
@given(st.integers(1, 30), STEPS)
def test_no_permit_is_lost_or_granted_twice_and_no_project_waits_for_a_free_one(
    capacity: int, steps: list[tuple[str, str]]
) -> None:
    semaphore, inside, waiting = FairSemaphore(capacity), Counter[str](), Counter[str]()
    tickets: dict[str, list[partial[None]]] = {project: [] for project in PROJECTS}

    def start(project: str, ticket: list[partial[None]]) -> None:
        inside[project] += 1
        waiting[project] -= 1
        if ticket[0] in tickets[project]:
            tickets[project].remove(ticket[0])

    def enter(project: str) -> None:
        own: list[partial[None]] = []
        own.append(partial(start, project, own))
        waiting[project] += 1
        tickets[project].append(own[0])
        semaphore.acquire(project, own[0])

    for step, project in steps:
        if step == "acquire":
            enter(project)
        elif step == "release" and inside[project]:
            inside[project] -= 1
            semaphore.release(project)
        elif step == "cancel" and tickets[project]:
            assert semaphore.cancel(project, tickets[project].pop())
            waiting[project] -= 1
        total = inside.total()
        assert total <= capacity
        assert all(count >= 0 for count in (inside + waiting).values())
        for one in PROJECTS:
            if waiting[one]:
                assert total == capacity or inside[one] >= FAIRNESS_FACTOR * (capacity - total) or step == "cancel"
    while inside.total():
        project = next(one for one in PROJECTS if inside[one])
        inside[project] -= 1
        semaphore.release(project)
    assert not +waiting
    assert semaphore.idle


@pytest.mark.parametrize("capacity", [1, 2, 9, 10, 100, 2000])
def test_one_project_alone_gets_nine_tenths_and_the_next_one_gets_a_permit(capacity: int) -> None:
    semaphore, inside = FairSemaphore(capacity), Counter[str]()
    for _ in range(capacity * 2):
        semaphore.acquire("greedy", partial(inside.update, ["greedy"]))
    assert inside["greedy"] >= capacity * 9 // 10
    assert capacity < 10 or inside["greedy"] < capacity
    if capacity >= 10:
        semaphore.acquire("next", partial(inside.update, ["next"]))
        assert inside["next"] == 1


def test_a_released_permit_goes_to_the_project_that_has_fewest() -> None:
    semaphore, order = FairSemaphore(3), []
    for project in "aaabbc":
        semaphore.acquire(project, partial(order.append, project))
    assert order == ["a", "a", "a"]
    for project in ["a", "a", "a", *"bbc"]:
        semaphore.release(project)
    assert sorted(order[3:5]) == ["b", "c"]
    assert semaphore.idle


def test_a_granted_permit_cannot_be_cancelled() -> None:
    semaphore, start = FairSemaphore(1), threading.Event().set
    semaphore.acquire("a", start)
    assert not semaphore.cancel("a", start)
    semaphore.release("a")
    assert semaphore.idle
