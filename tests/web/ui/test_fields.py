"""Inputs show what is stored in words that mean the same when they come back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wtforms.form import BaseForm

from web.ui.fields import Duration
from web.ui.structured_fields import JsonValue


def field(made: Any, value: Any) -> Any:
    form = BaseForm({"it": made})
    form.process(data={"it": value})
    return form["it"]


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [
        (1, ("1", "60")),
        (90, ("90", "60")),
        (120, ("2", "3600")),
        (1440, ("1", "86400")),
        (0.1, ("6", "1")),
        (61.05, ("3663", "1")),
        (16.1, ("966", "1")),
        (20576.15, ("1234569", "1")),
        (0, ("0", "1")),
    ],
)
def test_a_duration_is_shown_in_its_largest_whole_unit(minutes: float, shown: tuple[str, str]) -> None:
    assert field(Duration("D"), minutes).data == shown


@given(st.integers(0, 366 * 1440 * 60))
def test_a_duration_of_whole_seconds_comes_back_exactly(seconds: int) -> None:
    assert round(field(Duration("D"), seconds / 60).wire() * 60, 6) == seconds


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@given(values)
def test_a_json_value_comes_back_with_its_type(value: Any) -> None:
    assert repr(field(JsonValue("J"), value).wire()) == repr(value)
