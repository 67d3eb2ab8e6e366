"""Places shared fairly, whatever comes and goes."""

import threading
from collections import Counter
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime.fair_semaphore import FACTOR, FairSemaphore

PROJECTS = "abcd"
STEPS = st.lists(st.tuples(st.sampled_from(["enter", "leave", "withdraw"]), st.sampled_from(PROJECTS)), max_size=150)


@settings(deadline=None)
@given(st.integers(1, 30), STEPS)
def test_no_place_is_lost_or_given_twice_and_nobody_waits_beside_a_place(
    limit: int, steps: list[tuple[str, str]]
) -> None:
    share, inside, waiting = FairSemaphore(limit), Counter[str](), Counter[str]()
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
        share.enter(project, own[0])

    for step, project in steps:
        if step == "enter":
            enter(project)
        elif step == "leave" and inside[project]:
            inside[project] -= 1
            share.leave(project)
        elif step == "withdraw" and tickets[project]:
            assert share.withdraw(project, tickets[project].pop())
            waiting[project] -= 1
        total = inside.total()
        assert total <= limit
        assert all(count >= 0 for count in (inside + waiting).values())
        for one in PROJECTS:
            if waiting[one]:
                assert total == limit or inside[one] >= FACTOR * (limit - total) or step == "withdraw"
    while inside.total():
        project = next(one for one in PROJECTS if inside[one])
        inside[project] -= 1
        share.leave(project)
    assert not +waiting
    assert share.idle


@pytest.mark.parametrize("limit", [1, 2, 9, 10, 100, 2000])
def test_one_project_alone_gets_nine_tenths_and_the_next_one_finds_room(limit: int) -> None:
    share, inside = FairSemaphore(limit), Counter[str]()
    for _ in range(limit * 2):
        share.enter("greedy", partial(inside.update, ["greedy"]))
    assert inside["greedy"] >= limit * 9 // 10
    assert limit < 10 or inside["greedy"] < limit
    if limit >= 10:
        share.enter("next", partial(inside.update, ["next"]))
        assert inside["next"] == 1


def test_a_free_place_goes_to_the_project_that_has_fewest() -> None:
    share, order = FairSemaphore(3), []
    for project in "aaabbc":
        share.enter(project, partial(order.append, project))
    assert order == ["a", "a", "a"]
    for project in ["a", "a", "a", *"bbc"]:
        share.leave(project)
    assert sorted(order[3:5]) == ["b", "c"]
    assert share.idle


def test_who_has_its_place_cannot_withdraw() -> None:
    share, start = FairSemaphore(1), threading.Event().set
    share.enter("a", start)
    assert not share.withdraw("a", start)
    share.leave("a")
    assert share.idle
