"""Histograms of response times, and the database's functions over the same buckets."""

import statistics
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rules import histogram

times = st.floats(0.6, 250_000)
QUICK = settings(deadline=None, max_examples=100)


def counted(values: list[float]) -> list[int]:
    counts = [0] * histogram.BUCKETS
    for value in values:
        counts[histogram.bucket(value)] += 1
    return counts


@QUICK
@given(times)
def test_a_bucket_counts_what_lies_within_its_bounds(value: float) -> None:
    index = histogram.bucket(value)
    assert value <= histogram.upper_bound(index) * (1 + 1e-9)
    assert index == 0 or value > histogram.upper_bound(index - 1) * (1 - 1e-9)


def test_every_bound_belongs_to_its_own_bucket() -> None:
    bounds = [histogram.upper_bound(index) for index in range(histogram.BUCKETS)]
    assert [histogram.bucket(bound) for bound in bounds] == list(range(histogram.BUCKETS))


def test_the_first_bucket_takes_all_below_and_the_last_all_above() -> None:
    assert histogram.bucket(0) == histogram.bucket(-1) == 0
    assert histogram.bucket(1e12) == histogram.BUCKETS - 1
    assert histogram.upper_bound(histogram.BUCKETS - 2) > 300_000, "the longest check fits below the last"


@QUICK
@given(st.lists(times, min_size=2, max_size=300), st.sampled_from([50, 90, 95, 99]))
def test_a_percentile_is_within_one_bucket_of_the_true_one(values: list[float], percent: int) -> None:
    found = histogram.percentile(counted(values), percent / 100)
    assert found is not None
    ordered = sorted(values)
    # Between two neighbours any value is a true percentile; so its neighbourhood is what is compared.
    place = percent / 100 * len(ordered)
    low, high = ordered[max(0, int(place) - 1)], ordered[min(len(ordered) - 1, int(place))]
    assert low / histogram.GROWTH * (1 - 1e-9) <= found <= high * histogram.GROWTH * (1 + 1e-9)


def test_percentiles_of_many_times_agree_with_the_library_within_a_few_percent() -> None:
    values = [10 * 1.002**step for step in range(3000)]
    cuts = statistics.quantiles(values, n=100)
    for percent in (5, 50, 95, 99):
        found = histogram.percentile(counted(values), percent / 100)
        assert found == pytest.approx(cuts[percent - 1], rel=0.04)


def test_nothing_counted_has_no_percentile() -> None:
    assert histogram.percentile([0] * histogram.BUCKETS, 0.5) is None


# --- the same in the database ------------------------------------------------------------------------


def one(db: psycopg.Connection[Any], query: str, *values: Any) -> Any:
    row = db.execute(query, values).fetchone()
    assert row is not None
    return row[0]


def test_the_database_puts_every_time_into_the_same_bucket(connection: psycopg.Connection[Any]) -> None:
    bounds = [histogram.upper_bound(index) for index in range(histogram.BUCKETS)]
    values = [0.0, 0.1, *bounds, *(bound * 1.0001 for bound in bounds), *(bound * 0.9999 for bound in bounds), 1e9]
    found = connection.execute(
        "SELECT histogram_bucket(ms), histogram_of(ms) FROM unnest(%s::float8[]) WITH ORDINALITY AS v(ms, i) ORDER BY i",
        [values],
    ).fetchall()
    assert [bucket for bucket, _ in found] == [histogram.bucket(value) for value in values]
    assert [whole for _, whole in found] == [counted([value]) for value in values]


def test_the_database_merges_histograms_by_adding_them(connection: psycopg.Connection[Any]) -> None:
    first, second = counted([1.0, 20.0, 20.0]), counted([20.0, 3000.0])
    both = counted([1.0, 20.0, 20.0, 20.0, 3000.0])
    assert one(connection, "SELECT histogram_add(%s::int[], %s::int[])", first, second) == both
    assert one(connection, "SELECT histogram_add(NULL, %s::int[])", second) == second
    assert one(connection, "SELECT histogram_add(%s::int[], NULL)", first) == first
    summed = "SELECT histogram_sum(h) FROM (VALUES (%s::int[]), (NULL), (%s::int[])) AS v(h)"
    assert one(connection, summed, first, second) == both
