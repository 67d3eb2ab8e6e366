"""Fire times of monitors."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling import fire_times as schedule

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ids = st.uuids()
intervals = st.integers(5, 86_400).map(lambda seconds: timedelta(seconds=seconds))
moments = st.timedeltas(timedelta(days=365 * 54), timedelta(days=365 * 70)).map(lambda passed: EPOCH + passed)
spans = st.timedeltas(timedelta(), timedelta(days=30))


def is_a_fire_time(monitor: UUID, interval: timedelta, moment: datetime) -> bool:
    return (moment - EPOCH - schedule.phase(monitor, interval)) % interval == timedelta()


@settings(deadline=None, max_examples=100)
@given(ids, intervals, moments, st.timedeltas(-timedelta(days=2), timedelta(days=30)))
def test_the_next_fire_time_is_the_first_on_the_grid_in_the_future_and_half_an_interval_after_the_run(
    monitor: UUID, interval: timedelta, ran_at: datetime, late: timedelta
) -> None:
    now = ran_at + late
    fire_time = schedule.after_interval(monitor, interval, ran_at, now)
    assert is_a_fire_time(monitor, interval, fire_time)
    assert fire_time > now
    assert fire_time - ran_at >= interval / 2
    before = fire_time - interval
    assert before <= now or before - ran_at < interval / 2, "an earlier fire_time would have done"


@settings(deadline=None, max_examples=100)
@given(ids, intervals, moments)
def test_after_a_punctual_run_the_next_fire_time_is_one_interval_later(
    monitor: UUID, interval: timedelta, moment: datetime
) -> None:
    fire_time = schedule.at_or_after(monitor, interval, moment)
    assert fire_time - moment < interval
    assert (
        schedule.after_interval(monitor, interval, fire_time, fire_time + timedelta(milliseconds=1))
        == fire_time + interval
    )


@settings(deadline=None, max_examples=100)
@given(ids, intervals, moments, spans)
def test_missed_fire_times_are_merged_into_the_latest_of_them(
    monitor: UUID, interval: timedelta, moment: datetime, slept: timedelta
) -> None:
    fire_time = schedule.at_or_after(monitor, interval, moment)
    now = fire_time + slept
    run = schedule.scheduled_for(monitor, interval, fire_time, now)
    assert is_a_fire_time(monitor, interval, run)
    assert fire_time <= run <= now < run + interval


@settings(deadline=None, max_examples=50)
@given(ids, intervals, moments, st.integers(1, 999))
def test_a_run_requested_between_two_fire_times_keeps_its_own_time(
    monitor: UUID, interval: timedelta, asked: datetime, waited_ms: int
) -> None:
    assert schedule.scheduled_for(monitor, interval, asked, asked + timedelta(milliseconds=waited_ms)) == asked


def test_the_phase_of_a_monitor_never_changes_between_versions() -> None:
    monitor = UUID("6f1b4b1e-3c55-4f0e-9d5a-0a3c5a4b7c11")
    found = [
        schedule.phase(monitor, timedelta(seconds=seconds)) // timedelta(milliseconds=1) for seconds in (5, 60, 3600)
    ]
    assert found == [756, 50756, 290756]


def test_the_load_of_many_monitors_is_level() -> None:
    minute = timedelta(minutes=1)
    tenths = [0] * 10
    for number in range(5000):
        tenths[schedule.phase(UUID(int=number), minute) * 10 // minute] += 1
    assert sum(tenths) == 5000
    assert all(400 < count < 600 for count in tenths), tenths


# --- cron --------------------------------------------------------------------------------------------


def runs(expression: str, timezone: str, start: datetime, count: int) -> list[datetime]:
    found = []
    for _ in range(count):
        start = schedule.after_cron(expression, timezone, start, start)
        found.append(start)
    return found


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 59), st.integers(0, 23), moments, spans)
def test_a_daily_cron_time_is_the_next_such_time_after_run_and_now(
    minute: int, hour: int, ran_at: datetime, late: timedelta
) -> None:
    now = ran_at + late
    fire_time = schedule.after_cron(f"{minute} {hour} * * *", "UTC", ran_at, now)
    assert (fire_time.minute, fire_time.hour, fire_time.second, fire_time.microsecond) == (minute, hour, 0, 0)
    assert timedelta() < fire_time - now <= timedelta(days=1)


def test_a_cron_time_is_read_in_its_zone_and_returned_in_utc() -> None:
    start = datetime(2026, 7, 1, tzinfo=UTC)
    fire_time = schedule.after_cron("30 4 * * *", "America/New_York", start, start)
    assert fire_time == datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
    assert fire_time.tzinfo is UTC


def test_a_cron_time_that_the_clock_skips_runs_at_once() -> None:
    # In Berlin, 2026-03-29 goes from 02:00 straight to 03:00.
    found = runs("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), 2)
    assert found == [datetime(2026, 3, 29, 1, 0, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)]


def test_a_cron_time_that_has_come_in_the_hour_that_is_shown_twice_does_not_come_again_in_it() -> None:
    # In Berlin, 2026-10-25 01:10 UTC is 02:10 for the second time; 02:30 was there at 00:30 UTC.
    found = schedule.after_cron("30 2 * * *", "Europe/Berlin", *[datetime(2026, 10, 25, 1, 10, tzinfo=UTC)] * 2)
    assert found == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_cron_time_that_the_clock_shows_twice_runs_once() -> None:
    # In Berlin, 2026-10-25 has 02:30 twice.
    found = runs("30 2 * * *", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert found == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


def test_half_hourly_cron_runs_keep_their_distance_through_both_changes_of_the_clock() -> None:
    for start in (datetime(2026, 3, 28, 22, 10, tzinfo=UTC), datetime(2026, 10, 24, 22, 10, tzinfo=UTC)):
        found = runs("*/30 * * * *", "Europe/Berlin", start, 12)
        assert {later - earlier for earlier, later in pairwise(found)} == {HOUR / 2}
