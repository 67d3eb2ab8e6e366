"""Patterns of users: memory and time are bounded, whatever the pattern."""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.probes import pattern

HOSTILE = [
    "a{10000000}",
    "(?:a{60000}){60000}",
    "(?:a{100}){100}",
    "((a{9}){9}){9}" * 50,
    r"\p{L}{900}",
    "(?i)" + "é" * 9000,
]
_ATOMS = st.sampled_from(["a", ".", r"\w", r"\p{L}", "[^b]", "é", "(?i:ß)"])
_COUNTS = st.sampled_from(["", "*", "+", "?", "{3}", "{0,40}", "{1000}", "{60000}", "{2,}"])


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.lists(inner, min_size=1, max_size=4)
    joined = st.one_of(group.map("".join), group.map("|".join))
    return st.tuples(joined, _COUNTS).map(lambda parts: f"(?:{parts[0]}){parts[1]}")


PATTERNS = st.recursive(st.tuples(_ATOMS, _COUNTS).map("".join), _nested, max_leaves=20)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_pattern_that_grows_is_refused_at_once(hostile: str) -> None:
    began = time.process_time()
    assert "too large" in pattern.problem(hostile)
    assert not pattern.found_in(hostile, "a" * 100)
    assert time.process_time() - began < 1


@settings(max_examples=150, deadline=None)
@given(PATTERNS)
def test_any_pattern_is_compiled_and_searched_within_bounds(made: str) -> None:
    began = time.thread_time()
    pattern.problem(made)
    pattern.found_in(made, "ab" * 16_000)
    pattern.found_in(made, "a" * 32_000 + "!", whole=True)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("unusable", ["(?=a)b", "(?<!a)b", r"(a)\1"])
def test_what_the_engine_does_not_have_is_named(unusable: str) -> None:
    assert "no look-arounds and no back-references" in pattern.problem(unusable)


@pytest.mark.parametrize("unusable", ["(", "[", "a**", "\ud800"])
def test_what_is_no_pattern_is_refused(unusable: str) -> None:
    assert pattern.problem(unusable)
    assert not pattern.found_in(unusable, "a")


def test_a_pattern_searches_or_matches_the_whole() -> None:
    assert pattern.found_in("b+", "abbc")
    assert not pattern.found_in("b+", "abbc", whole=True)
    assert pattern.found_in("ä.ö", "äßö", whole=True)
    assert not pattern.found_in("^a$", "a\ud800")


def test_many_large_patterns_keep_little_memory() -> None:
    tracemalloc.start()
    try:
        for number in range(200):
            pattern.problem(f"{number}" + "(?i)x" * 500)
        assert tracemalloc.get_traced_memory()[0] < 16 << 20
    finally:
        tracemalloc.stop()
