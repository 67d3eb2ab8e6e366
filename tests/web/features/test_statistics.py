"""Figures out of rollups, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from web.features.results.statistics import History, Rollup

NOW = datetime(2026, 3, 10, 0, 20, tzinfo=UTC)
MIDNIGHT = NOW.replace(minute=0)
DAY = timedelta(days=1)


def rollup(at: datetime, up: int, location: str = "us-east") -> Rollup:
    return Rollup(at, location, up, 0, 0, up, 10.0 * up, 10.0, 10.0, None)


@pytest.fixture
def just_after_midnight() -> History:
    """Yesterday has no daily sum yet; the day before has one, and its hours are still there."""
    hours = [rollup(MIDNIGHT, 1), rollup(MIDNIGHT - timedelta(hours=3), 20), rollup(MIDNIGHT - DAY, 30)]
    hours += [rollup(MIDNIGHT - 2 * DAY + timedelta(hours=5), 400)]
    return History(hours, [rollup(MIDNIGHT - 2 * DAY, 400), rollup(MIDNIGHT - 29 * DAY, 5000)], NOW)


def test_days_that_are_not_summed_yet_are_made_of_their_hours_and_none_counts_twice(
    just_after_midnight: History,
) -> None:
    assert just_after_midnight.figures("30d").up == 1 + 20 + 30 + 400 + 5000
    assert just_after_midnight.by_location(2)["us-east"].up == 1 + 20 + 30
    assert just_after_midnight.by_location(1)["us-east"].up == 1


def test_the_chart_shows_them_in_their_day(just_after_midnight: History) -> None:
    newest = just_after_midnight.points("30d")[-3:]
    assert [(one.at, one.up) for one in newest] == [
        (MIDNIGHT - 2 * DAY, 400),
        (MIDNIGHT - DAY, 50),
        (MIDNIGHT, 1),
    ]
    assert just_after_midnight.points("30d")[0].up == 5000


def test_hours_make_up_the_short_periods(just_after_midnight: History) -> None:
    assert just_after_midnight.figures("24h").up == 1 + 20
    assert just_after_midnight.figures("7d").up == 1 + 20 + 30 + 400
