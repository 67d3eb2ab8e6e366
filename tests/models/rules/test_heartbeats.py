"""Deadlines of heartbeats."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules import heartbeats

moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


@given(moments, st.floats(0.05, 10_000), st.floats(0, 10_000))
def test_a_deadline_is_interval_plus_grace_after_the_last_ping(after: datetime, interval: float, grace: float) -> None:
    config = {"expectedIntervalMinutes": interval, "gracePeriodMinutes": grace}
    wanted = after + timedelta(minutes=interval) + timedelta(minutes=grace)
    assert abs(heartbeats.deadline(config, after) - wanted) < timedelta(milliseconds=1)


@pytest.mark.parametrize("config", [{}, {"expectedIntervalMinutes": None, "gracePeriodMinutes": None}])
def test_what_is_not_configured_is_an_hour_and_ten_minutes(config: dict[str, Any]) -> None:
    after = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert heartbeats.deadline(config, after) == datetime(2026, 5, 1, 13, 10, tzinfo=UTC)


def test_a_cron_fire_time_is_read_in_its_time_zone() -> None:
    config = {"cronExpression": "30 2 * * *", "timezone": "America/New_York", "gracePeriodMinutes": 5}
    assert heartbeats.deadline(config, datetime(2026, 7, 1, 12, tzinfo=UTC)) == datetime(2026, 7, 2, 6, 35, tzinfo=UTC)
    assert heartbeats.deadline(config, datetime(2026, 12, 1, 12, tzinfo=UTC)) == datetime(
        2026, 12, 2, 7, 35, tzinfo=UTC
    )


@given(moments)
def test_a_cron_deadline_lies_ahead(after: datetime) -> None:
    config = {"cronExpression": "*/15 * * * *", "timezone": None, "gracePeriodMinutes": 1}
    assert timedelta(minutes=1) < heartbeats.deadline(config, after) - after <= timedelta(minutes=16)


DAILY = {"cronExpression": "0 10 * * *", "timezone": "UTC", "gracePeriodMinutes": 60}
FIRE_TIME = datetime(2026, 3, 3, 10, tzinfo=UTC)


def test_a_ping_seconds_before_its_cron_fire_time_counts_for_it() -> None:
    early = FIRE_TIME - timedelta(seconds=2)
    assert heartbeats.deadline_after_ping(DAILY, early) == FIRE_TIME + timedelta(days=1, hours=1)
    # A heartbeat that was created at that moment still waits for the fire_time
    assert heartbeats.deadline(DAILY, early) == FIRE_TIME + timedelta(hours=1)


@pytest.mark.parametrize(
    ("grace", "cron", "early", "counts"),
    [
        (60, "0 10 * * *", timedelta(minutes=60), True),
        (60, "0 10 * * *", timedelta(minutes=60, microseconds=1), False),
        (0, "0 10 * * *", timedelta(microseconds=1), False),
        # Half the distance to the fire_time before is less than the grace period
        (60, "*/10 * * * *", timedelta(minutes=5), True),
        (60, "*/10 * * * *", timedelta(minutes=5, microseconds=1), False),
    ],
)
def test_a_ping_is_early_within_the_grace_period_and_half_the_distance_to_the_fire_time_before(
    grace: int, cron: str, early: timedelta, counts: bool
) -> None:
    config = {"cronExpression": cron, "timezone": "UTC", "gracePeriodMinutes": grace}
    fire_time = FIRE_TIME if counts else FIRE_TIME - timedelta(microseconds=1)
    following = heartbeats.next_fire_time(cron, "UTC", fire_time)
    assert heartbeats.deadline_after_ping(config, FIRE_TIME - early) == following + timedelta(minutes=grace)


def test_a_ping_that_the_fire_time_before_still_waits_for_does_not_count_for_the_fire_time_ahead() -> None:
    hourly = {"cronExpression": "0 * * * *", "timezone": "UTC", "gracePeriodMinutes": 40}
    at = FIRE_TIME + timedelta(minutes=35)
    waited_for = FIRE_TIME + timedelta(minutes=40)
    ahead = FIRE_TIME + timedelta(hours=1, minutes=40)
    after = FIRE_TIME + timedelta(hours=2, minutes=40)
    assert heartbeats.deadline_after_ping(hourly, at, waited_for) == ahead
    # The fire_time before has had its ping, or its miss
    assert heartbeats.deadline_after_ping(hourly, at, ahead) == after
    assert heartbeats.deadline_after_ping(hourly, at, after) == after
    # A run that must end by then says nothing about a fire_time
    assert heartbeats.deadline_after_ping(hourly, at, FIRE_TIME + timedelta(minutes=37)) == after


@given(
    st.sampled_from(["0 10 * * *", "*/15 * * * *", "0 9,17 * * 1-5", "30 2 * * *", "0 0 1 * *"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    st.floats(0, 3000),
    moments,
)
def test_an_early_ping_moves_the_deadline_by_one_fire_time_at_most(
    cron: str, zone: str, grace: float, at: datetime
) -> None:
    config = {"cronExpression": cron, "timezone": zone, "gracePeriodMinutes": grace}
    late = timedelta(minutes=grace)
    fire_time = heartbeats.next_fire_time(cron, zone, at)
    found = heartbeats.deadline_after_ping(config, at)
    assert found in (fire_time + late, heartbeats.next_fire_time(cron, zone, fire_time) + late)
    if fire_time - at > late:
        assert found == fire_time + late


RESUMED = datetime(2026, 3, 3, 12, tzinfo=UTC)
HOURLY = {"expectedIntervalMinutes": 60, "gracePeriodMinutes": 10}


@pytest.mark.parametrize(
    ("due", "outage", "wanted"),
    [
        # Its regular time, 21 minutes ago, was during the outage: the next one is an hour later.
        (RESUMED - timedelta(minutes=11), 30, RESUMED + timedelta(minutes=49)),
        # It may have pinged just before the outage ended; its grace period is not over yet.
        (RESUMED + timedelta(minutes=5), 30, RESUMED + timedelta(minutes=65)),
        # Its regular time is later: it can ping as usual.
        (RESUMED + timedelta(minutes=40), 30, None),
        # It was missed before the outage.
        (RESUMED - timedelta(minutes=31), 30, None),
        # An outage of a day: its regular times are still at the same minute.
        (RESUMED - timedelta(hours=20, minutes=15), 1440, RESUMED + timedelta(minutes=45)),
    ],
)
def test_a_job_that_may_have_pinged_during_an_intake_outage_has_until_its_next_regular_time(
    due: datetime, outage: int, wanted: datetime | None
) -> None:
    assert heartbeats.deadline_after_intake_outage(HOURLY, due, RESUMED - timedelta(minutes=outage), RESUMED) == wanted


def test_a_cron_heartbeat_gets_until_its_next_fire_time() -> None:
    config = {"cronExpression": "0 3 * * *", "timezone": "UTC", "gracePeriodMinutes": 30}
    due = datetime(2026, 3, 3, 3, 30, tzinfo=UTC)
    nightly = datetime(2026, 3, 3, 3, 2, tzinfo=UTC)
    wanted = datetime(2026, 3, 4, 3, 30, tzinfo=UTC)
    assert heartbeats.deadline_after_intake_outage(config, due, nightly - timedelta(minutes=4), nightly) == wanted
    evening = datetime(2026, 3, 2, 20, tzinfo=UTC)
    assert heartbeats.deadline_after_intake_outage(config, due, evening - timedelta(minutes=4), evening) is None


minutes = st.floats(0.1, 5_000)


@given(moments, minutes, st.floats(0, 5_000), st.floats(-10_000, 10_000), minutes)
def test_after_an_intake_outage_the_deadline_leaves_time_for_one_regular_ping_and_not_for_two(
    resumed: datetime, interval: float, grace: float, due_in: float, outage: float
) -> None:
    config = {"expectedIntervalMinutes": interval, "gracePeriodMinutes": grace}
    due = resumed + timedelta(minutes=due_in)
    later = heartbeats.deadline_after_intake_outage(config, due, resumed - timedelta(minutes=outage), resumed)
    if later is None:
        return
    period = timedelta(minutes=interval)
    expected = later - timedelta(minutes=grace)
    assert expected >= resumed + heartbeats.RETRY_WINDOW - timedelta(microseconds=1)
    assert (
        due
        < later
        <= max(due, resumed + heartbeats.RETRY_WINDOW + timedelta(minutes=grace)) + period + timedelta(seconds=1)
    )
    assert heartbeats.deadline_after_intake_outage(config, due, resumed - timedelta(minutes=outage), resumed) == later
