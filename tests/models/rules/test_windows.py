"""Occurrences of maintenance windows."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rules import windows
from models.rules.windows import Occurrence, Plan

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BERLIN = "Europe/Berlin"
#: The nights of Berlin's daylight saving changes.
SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
expressions = st.sampled_from(
    [
        "*/20 * * * *",
        "0 * * * *",
        "30 2 * * *",
        "0 2,3 * * *",
        "15 1-3 * * *",
        "0 22 * * 6",
        "0 3 * * 0",
        "50 23 29 3 *",
    ]
)
zones = st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe"])
durations = st.integers(1, 3 * 24 * 60).map(lambda minutes: minutes * MINUTE)
moments = st.builds(
    lambda night, minutes, seconds: night + timedelta(minutes=minutes, seconds=seconds),
    st.sampled_from([SPRING, AUTUMN, datetime(2026, 7, 1, tzinfo=UTC)]),
    st.integers(-36 * 60, 36 * 60),
    st.sampled_from([0, 0, 13]),
)
QUICK = settings(deadline=None, max_examples=40)


def every_fire_time(plan: Plan, since: datetime, until: datetime) -> list[datetime]:
    """Return all fire times in the range, computed from a noon without a daylight saving change long before."""
    assert plan.cron is not None
    noon = (since - timedelta(days=3)).replace(hour=12, minute=0, second=0)
    found = []
    for fire_time in CronSim(plan.cron, noon.astimezone(ZoneInfo(plan.timezone))):
        if fire_time.astimezone(UTC) > until:
            break
        found.append(fire_time.astimezone(UTC))
    return found


@QUICK
@given(expressions, zones, durations, moments)
def test_a_recurring_window_is_active_exactly_after_one_of_its_fire_times(
    cron: str, zone: str, duration: timedelta, now: datetime
) -> None:
    plan = Plan(None, cron, zone, duration)
    found = windows.occurrence(plan, now)
    fire_times = every_fire_time(plan, now - duration, now + timedelta(days=8))
    on = [fire_time for fire_time in fire_times if fire_time <= now < fire_time + duration]
    assert found is not None
    assert (found.starts <= now < found.ends) == bool(on)
    if not on and (later := [fire_time for fire_time in fire_times if fire_time > now]):
        assert found.starts == later[0]


@QUICK
@given(expressions, zones, durations, moments)
def test_an_occurrence_lasts_until_the_first_moment_that_no_fire_time_covers(
    cron: str, zone: str, duration: timedelta, now: datetime
) -> None:
    plan = Plan(None, cron, zone, duration)
    found = windows.occurrence(plan, now)
    assert found is not None
    fire_times = every_fire_time(plan, found.starts - duration, found.ends + MINUTE)
    covered = [(fire_time, fire_time + duration) for fire_time in fire_times]
    assert any(begin < found.ends <= end for begin, end in covered), "the last moment of it belongs to it"
    if sum(found.starts <= fire_time < found.ends for fire_time in fire_times) <= windows.MAX_JOINED:
        assert not any(begin <= found.ends < end for begin, end in covered), "the moment of its end does not"


@QUICK
@given(expressions, zones, durations, moments, st.lists(st.integers(1, 5000), max_size=5))
def test_advancing_late_or_often_gives_the_same_occurrence(
    cron: str, zone: str, duration: timedelta, now: datetime, waits: list[int]
) -> None:
    plan = Plan(None, cron, zone, duration)
    present = windows.occurrence(plan, now)
    for wait in waits:
        assert present is not None
        now += wait * MINUTE
        if present.starts <= now:
            present = windows.advance(plan, present, now)
        fresh = windows.occurrence(plan, now)
        assert present is not None
        assert fresh is not None
        assert (present.starts <= now < present.ends) == (fresh.starts <= now < fresh.ends)


@pytest.mark.parametrize(
    ("wait", "found"),
    [
        (-MINUTE, Occurrence(AUTUMN, AUTUMN + HOUR)),
        (timedelta(), Occurrence(AUTUMN, AUTUMN + HOUR)),
        (HOUR - timedelta(microseconds=1), Occurrence(AUTUMN, AUTUMN + HOUR)),
        (HOUR, None),
    ],
)
def test_a_one_time_window_is_over_at_its_end(wait: timedelta, found: Occurrence | None) -> None:
    assert windows.occurrence(Plan(AUTUMN, None, "UTC", HOUR), AUTUMN + wait) == found


def test_two_hours_stay_two_hours_when_the_clocks_change() -> None:
    spring = windows.occurrence(Plan(None, "30 1 * * *", BERLIN, 2 * HOUR), SPRING - HOUR)
    assert spring == Occurrence(SPRING + HOUR / 2, SPRING + HOUR / 2 + 2 * HOUR)
    assert spring.ends.astimezone(ZoneInfo(BERLIN)).hour == 4


def test_a_local_time_that_occurs_twice_in_one_night_is_one_window() -> None:
    plan = Plan(None, "30 2 * * *", BERLIN, 10 * MINUTE)
    fire_times = [AUTUMN + HOUR / 2, AUTUMN + timedelta(days=1, minutes=90)]
    for minute in range(12 * 60):
        found = windows.occurrence(plan, AUTUMN + minute * MINUTE)
        assert found is not None
        assert found.starts in fire_times, minute


def test_windows_without_a_gap_are_one_occurrence_that_is_extended_repeatedly() -> None:
    plan = Plan(None, "* * * * *", "UTC", MINUTE)
    now = AUTUMN
    present = windows.occurrence(plan, now)
    for _ in range(5):
        assert present is not None
        assert present.ends - now > HOUR
        now = present.ends - MINUTE
        present = windows.advance(plan, present, now)
    assert present is not None
    assert present.starts == AUTUMN


def test_what_follows_a_window_ended_by_hand_is_the_next_one() -> None:
    plan = Plan(None, "0 2 * * *", "UTC", 3 * HOUR)
    assert windows.following(plan, AUTUMN + 3 * HOUR) == Occurrence(AUTUMN + 26 * HOUR, AUTUMN + 29 * HOUR)
    assert windows.following(Plan(AUTUMN, None, "UTC", HOUR), AUTUMN) is None
