"""What the locations' outcomes mean together."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.verdicts import verdict

statuses = st.lists(st.sampled_from(["up", "down", "error"]), max_size=9)
strategies = st.sampled_from(["all", "any", "majority", "custom", None])


@settings(deadline=None, max_examples=400)
@given(statuses, strategies, st.integers(1, 100))
def test_the_verdict_follows_the_rule_of_its_strategy(found: list[str], strategy: str | None, threshold: int) -> None:
    config: dict[str, Any] = {"threshold": threshold} | ({"strategy": strategy} if strategy else {})
    up, down = found.count("up"), found.count("down")
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
    assert verdict.of_round(found, config) == expected


@settings(deadline=None, max_examples=100)
@given(statuses, strategies, st.integers(0, 9))
def test_our_own_errors_never_change_a_verdict(found: list[str], strategy: str | None, errors: int) -> None:
    config = {"strategy": strategy}
    measured = [one for one in found if one != "error"]
    if measured:
        assert verdict.of_round(measured + ["error"] * errors, config) == verdict.of_round(measured, config)


@pytest.mark.parametrize("found", [["up", "down"], ["down", "up"], ["up", "down", "error"]])
def test_a_tie_is_no_majority(found: list[str]) -> None:
    assert verdict.of_round(found, {"strategy": "majority"}) == "down"


def test_without_a_location_config_the_one_location_decides() -> None:
    assert [verdict.of_round([word], None) for word in ("up", "down", "error")] == ["up", "down", "error"]


def test_silence_everywhere_is_an_error_of_ours() -> None:
    assert verdict.of_round([], {"strategy": "any"}) == "error"
