"""The verdict from the statuses of the locations."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.verdicts.verdict import verdict_of

statuses = st.lists(st.sampled_from(["up", "down", "error"]), max_size=9)
strategies = st.sampled_from(["all", "any", "majority", "custom", None])


@settings(deadline=None, max_examples=400)
@given(statuses, strategies, st.integers(1, 100))
def test_the_verdict_follows_the_rule_of_its_strategy(
    answered: list[str], strategy: str | None, threshold: int
) -> None:
    config: dict[str, Any] = {"threshold": threshold} | ({"strategy": strategy} if strategy else {})
    up, down = answered.count("up"), answered.count("down")
    if up + down == 0:
        expected = "error"
    else:
        share = Fraction(up, up + down)
        good = {
            "all": share == 1,
            "any": share > 0,
            "majority": share > Fraction(1, 2),
            "custom": share >= Fraction(threshold, 100),
        }[strategy or "majority"]
        expected = "up" if good else "down"
    assert verdict_of(answered, config) == expected


@settings(deadline=None, max_examples=100)
@given(statuses, strategies, st.integers(0, 9))
def test_errors_of_supercheck_never_change_a_verdict(answered: list[str], strategy: str | None, errors: int) -> None:
    config = {"strategy": strategy}
    measured = [status for status in answered if status != "error"]
    if measured:
        assert verdict_of(measured + ["error"] * errors, config) == verdict_of(measured, config)


@pytest.mark.parametrize("answered", [["up", "down"], ["down", "up"], ["up", "down", "error"]])
def test_a_tie_is_no_majority(answered: list[str]) -> None:
    assert verdict_of(answered, {"strategy": "majority"}) == "down"


def test_without_a_location_config_the_one_location_decides() -> None:
    assert [verdict_of([status], None) for status in ("up", "down", "error")] == ["up", "down", "error"]


def test_a_round_without_any_answer_is_an_error() -> None:
    assert verdict_of([], {"strategy": "any"}) == "error"
