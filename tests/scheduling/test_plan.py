"""The new schedule of a due monitor, and its round."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.queries.schedules import DueMonitor
from scheduling import fire_times, tick

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIVE = ["eu-central", "us-east"]


def a_due_monitor(**values: Any) -> DueMonitor:
    standard: dict[str, Any] = {
        "monitor_id": uuid4(),
        "version": 3,
        "type": "http_request",
        "next_run_at": NOW,
        "interval_seconds": 60,
        "cron_expression": None,
        "timezone": "UTC",
        "timeout": None,
        "retries": None,
        "grace": None,
        "locations": None,
        "open_deadline": None,
    }
    return DueMonitor(**{**standard, **values})


def test_a_round_waits_for_every_try_and_ten_seconds_more() -> None:
    monitor = a_due_monitor(timeout=7, retries=2)
    update, dispatched = tick.plan(monitor, NOW, ["us-east"], LIVE)
    assert dispatched is not None
    assert (dispatched.monitor_id, dispatched.version, dispatched.kind) == (monitor.monitor_id, 3, "http_request")
    assert update.scheduled_for == dispatched.scheduled_for == NOW
    assert update.deadline == NOW + timedelta(seconds=7 * 3 + 10)


def test_without_a_location_config_only_the_first_enabled_location_is_used() -> None:
    update, dispatched = tick.plan(a_due_monitor(), NOW, ["us-east", "eu-central"], LIVE)
    assert dispatched is not None
    assert dispatched.locations == update.expected == ["us-east"]


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ([], ["us-east", "eu-central"]),
        (["eu-central"], ["eu-central"]),
        (["eu-central", "mars"], ["eu-central"]),
        (["asia-pacific", "us-east"], ["us-east"]),
    ],
)
def test_a_location_config_uses_the_selected_locations_that_are_live(selected: list[str], expected: list[str]) -> None:
    monitor = a_due_monitor(locations={"enabled": True, "locations": selected})
    _, dispatched = tick.plan(monitor, NOW, ["us-east", "eu-central", "asia-pacific"], LIVE)
    assert dispatched is not None
    assert dispatched.locations == expected


def test_a_fire_time_is_skipped_while_an_earlier_round_is_open_and_is_no_gap() -> None:
    update, dispatched = tick.plan(a_due_monitor(open_deadline=NOW + MINUTE), NOW, ["us-east"], LIVE)
    assert dispatched is None
    assert update.scheduled_for is None
    assert update.gap is None
    assert update.next_run_at > NOW


def test_a_round_past_its_deadline_holds_up_the_next_until_the_sweep_had_time_to_decide_it() -> None:
    monitor = a_due_monitor(open_deadline=NOW)
    assert tick.plan(monitor, NOW + timedelta(seconds=4), ["us-east"], LIVE)[1] is None
    assert tick.plan(monitor, NOW + timedelta(seconds=5), ["us-east"], LIVE)[1] is not None


def test_without_a_live_worker_the_fire_time_is_a_gap() -> None:
    update, dispatched = tick.plan(a_due_monitor(), NOW, ["us-east"], ["eu-central"])
    assert dispatched is None
    assert update.gap == tick.NO_WORKER


@pytest.mark.parametrize(
    "schedule",
    [
        {"type": "heartbeat", "interval_seconds": 86_400},
        {"interval_seconds": 86_400},
        {"interval_seconds": None, "cron_expression": "0 12 * * 1"},
        {"interval_seconds": 5},
    ],
)
def test_a_fire_time_without_a_worker_is_retried_soon_however_far_the_next_one_is(
    schedule: dict[str, Any],
) -> None:
    update, _ = tick.plan(a_due_monitor(**schedule), NOW, ["us-east"], [])
    assert update.gap == tick.NO_WORKER
    assert NOW < update.next_run_at <= NOW + timedelta(seconds=30)


def test_a_missed_heartbeat_is_decided_by_any_live_worker() -> None:
    _, dispatched = tick.plan(a_due_monitor(type="heartbeat"), NOW, ["us-east"], ["mars"])
    assert dispatched is not None
    assert dispatched.locations == []


def test_a_missed_heartbeat_is_due_again_one_period_after_its_deadline_whatever_the_grid() -> None:
    deadline = NOW - timedelta(seconds=2)
    update, _ = tick.plan(a_due_monitor(type="heartbeat", next_run_at=deadline), NOW, [], LIVE)
    assert update.scheduled_for == deadline
    assert update.next_run_at == deadline + MINUTE


@settings(deadline=None, max_examples=100)
@given(st.integers(5, 100_000), st.timedeltas(timedelta(), timedelta(days=40)))
def test_the_deadline_after_a_missed_heartbeat_is_in_the_future_and_whole_periods_later(
    seconds: int, late: timedelta
) -> None:
    monitor = a_due_monitor(type="heartbeat", interval_seconds=seconds, next_run_at=NOW - late)
    update, _ = tick.plan(monitor, NOW, [], LIVE)
    assert NOW < update.next_run_at <= NOW + timedelta(seconds=seconds)
    assert (update.next_run_at - monitor.next_run_at) % timedelta(seconds=seconds) == timedelta()


def test_a_heartbeat_on_a_cron_schedule_keeps_its_grace_period_after_a_miss() -> None:
    # Given a job expected at every full hour, with ten minutes' grace, that was missed at ten past eleven
    monitor = a_due_monitor(
        type="heartbeat",
        interval_seconds=None,
        cron_expression="0 * * * *",
        grace=10,
        next_run_at=NOW - timedelta(minutes=50),
    )
    # When the miss is planned
    update, _ = tick.plan(monitor, monitor.next_run_at, [], LIVE)
    # Then the next deadline is ten past twelve, not twelve
    assert update.next_run_at == NOW + timedelta(minutes=10)


@pytest.mark.parametrize("kind", ["interval", "cron"])
def test_a_fire_time_missed_during_a_standstill_runs_now_and_the_grid_continues(kind: str) -> None:
    # Given a daily monitor whose time passed ten hours ago
    day = timedelta(days=1)
    schedule: dict[str, Any] = (
        {"interval_seconds": None, "cron_expression": "0 2 * * *"} if kind == "cron" else {"interval_seconds": 86_400}
    )
    monitor = a_due_monitor(next_run_at=NOW - timedelta(hours=10), **schedule)
    if kind == "interval":
        monitor = monitor._replace(next_run_at=fire_times.at_or_after(monitor.monitor_id, day, NOW - day))
        now = monitor.next_run_at + timedelta(hours=10)
    else:
        now = NOW
    # When the system wakes up
    update, dispatched = tick.plan(monitor, now, ["us-east"], LIVE)
    # Then the round belongs to the present, not to the missed time, and the next fire time is regular
    assert dispatched is not None
    assert dispatched.scheduled_for == update.scheduled_for == now
    assert update.next_run_at == monitor.next_run_at + day


def test_a_fire_time_that_is_a_little_late_keeps_its_own_time() -> None:
    monitor = a_due_monitor(interval_seconds=3600, next_run_at=NOW - timedelta(seconds=90))
    _, dispatched = tick.plan(monitor, NOW, ["us-east"], LIVE)
    assert dispatched is not None
    assert dispatched.scheduled_for == monitor.next_run_at
