"""Windows move on, and what was held back is made up for."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors import queues
from models.connections.database import transaction
from scheduling import maintenance_windows
from tests import messages, rows

Db = psycopg.Connection[Any]
NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WITH_PENDING_ALERT = {
    "status": "down",
    "last_verdict": "down",
    "consecutive_failures": 2,
    "failure_sequence": 3,
    "pending_alert": True,
}


def move_on(now: datetime = NOW) -> None:
    with transaction() as db:
        maintenance_windows.move_on(db, now)


def occurrences(db: Db) -> list[tuple[Any, ...]]:
    query = "SELECT occurred_from, occurred_until, occurs_from, occurs_until FROM maintenance_windows ORDER BY id"
    return db.execute(query).fetchall()


def a_daily_window(db: Db, project: UUID, begins: datetime, **columns: Any) -> UUID:
    cron = {"starts_at": None, "cron_expression": f"{begins.minute} {begins.hour} * * *"}
    return rows.a_window(db, project, begins, begins + HOUR, **{**cron, **columns})


def test_a_window_that_comes_once_is_over_for_good(connection: Db, project: UUID) -> None:
    rows.a_window(connection, project, NOW - HOUR, NOW)
    move_on()
    move_on()
    assert occurrences(connection) == [(NOW - HOUR, NOW, None, None)]


def test_a_recurring_window_moves_on_to_its_next_time_however_late(connection: Db, project: UUID) -> None:
    begins = NOW.replace(second=0) - timedelta(days=3, hours=2)
    a_daily_window(connection, project, begins)
    move_on()
    tomorrow = begins + timedelta(days=4)
    assert occurrences(connection) == [(begins, begins + HOUR, tomorrow, tomorrow + HOUR)]


@pytest.mark.parametrize("begins", [NOW - MINUTE, NOW + MINUTE])
def test_a_window_that_is_on_or_still_to_come_stays_as_it_is(connection: Db, project: UUID, begins: datetime) -> None:
    rows.a_window(connection, project, begins, begins + HOUR)
    before = occurrences(connection)
    move_on()
    assert occurrences(connection) == before


def test_a_window_that_runs_into_its_next_time_lasts_on_before_it_ends(connection: Db, project: UUID) -> None:
    begins = NOW - HOUR
    cron = {"starts_at": None, "cron_expression": "* * * * *", "duration_seconds": 120}
    rows.a_window(connection, project, begins, NOW + MINUTE / 2, **cron)
    move_on()
    ((past, _, present, until),) = occurrences(connection)
    assert (past, present) == (None, begins)
    assert until > NOW + HOUR


def test_a_window_that_cannot_be_read_ends_and_stops_no_other(connection: Db, project: UUID) -> None:
    broken = rows.a_window(connection, project, NOW - 2 * HOUR, NOW - HOUR, starts_at=None, cron_expression="nonsense")
    rows.a_window(connection, project, NOW - 2 * HOUR, NOW - HOUR)
    move_on()
    assert [row[2:] for row in occurrences(connection)] == [(None, None)] * 2
    assert rows.value(connection, "SELECT cron_expression FROM maintenance_windows WHERE id = %s", broken) == "nonsense"


def test_a_monitor_with_a_pending_alert_is_checked_at_once_when_its_window_is_over(
    connection: Db, project: UUID
) -> None:
    window = rows.a_window(connection, project, NOW - HOUR, NOW + MINUTE)
    monitor = rows.a_monitor(connection, project, due=NOW + HOUR, state=WITH_PENDING_ALERT)
    maintenance_windows.release(NOW)
    assert rows.state(connection, monitor)["next_run_at"] == NOW + HOUR
    assert rows.state(connection, monitor)["pending_alert"]
    maintenance_windows.release(NOW + MINUTE)
    state = rows.state(connection, monitor)
    assert (state["next_run_at"], state["pending_alert"]) == (NOW + MINUTE, False)
    assert [message.actor_name for message in messages.waiting(queues.SCHEDULER)] == ["tick"]
    assert rows.value(connection, "SELECT count(*) FROM alerts") == 0
    assert window


@pytest.mark.parametrize("end", ["DELETE FROM maintenance_windows", "UPDATE monitors SET tags = '{}'"])
def test_a_window_that_is_taken_away_releases_too(connection: Db, project: UUID, end: str) -> None:
    rows.a_window(connection, project, NOW - HOUR, NOW + HOUR, tag="blue")
    monitor = rows.a_monitor(connection, project, due=NOW + HOUR, state=WITH_PENDING_ALERT, tags=["blue"])
    maintenance_windows.release(NOW)
    assert rows.state(connection, monitor)["pending_alert"]
    connection.execute(end)  # type: ignore[call-overload]
    maintenance_windows.release(NOW)
    assert rows.state(connection, monitor)["next_run_at"] == NOW


def test_a_mute_that_ends_releases_too(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project, due=NOW + HOUR, state=WITH_PENDING_ALERT, muted_until=NOW + MINUTE)
    maintenance_windows.release(NOW)
    assert rows.state(connection, monitor)["next_run_at"] == NOW + HOUR
    maintenance_windows.release(NOW + MINUTE)
    assert rows.state(connection, monitor)["next_run_at"] == NOW + MINUTE


@pytest.mark.parametrize(
    "left_alone",
    [
        {"enabled": False},
        {"state": {**WITH_PENDING_ALERT, "pending_alert": False}},
        {
            "state": {
                **WITH_PENDING_ALERT,
                "open_scheduled_for": NOW,
                "open_deadline": NOW + MINUTE,
                "open_expected": [],
            }
        },
    ],
)
def test_a_monitor_paused_without_pending_alert_or_being_checked_is_left_alone(
    connection: Db, project: UUID, left_alone: dict[str, Any]
) -> None:
    monitor = rows.a_monitor(connection, project, due=NOW + HOUR, **{"state": WITH_PENDING_ALERT, **left_alone})
    maintenance_windows.release(NOW)
    assert rows.state(connection, monitor)["next_run_at"] == NOW + HOUR


def a_heartbeat(db: Db, project: UUID, **state: Any) -> UUID:
    known = {"decided_for": NOW - HOUR, "last_check_at": NOW - HOUR, "down_since": NOW - 2 * HOUR}
    why = {"last_error_code": "HEARTBEAT_MISSED", "last_error_message": "No ping arrived in time."}
    state = {**WITH_PENDING_ALERT, **known, **why, **state}
    return rows.a_heard_monitor(db, project, "", type="heartbeat", due=NOW + HOUR, state=state)


def planned_alerts(db: Db) -> list[tuple[Any, ...]]:
    query = "SELECT type, failure_sequence, alert_number, reason, status FROM alerts ORDER BY created_at"
    return db.execute(query).fetchall()


def test_a_heartbeat_that_is_down_is_told_from_how_it_stands_and_once(connection: Db, project: UUID) -> None:
    heartbeat = a_heartbeat(connection, project)
    maintenance_windows.release(NOW)
    maintenance_windows.release(NOW)
    assert planned_alerts(connection) == [("heartbeat.missed", 3, 1, "No ping arrived in time.", "pending")]
    state = rows.state(connection, heartbeat)
    assert (state["alerts_sent"], state["pending_alert"], state["next_run_at"]) == (1, False, NOW + HOUR)
    assert len(messages.waiting(queues.ALERTS)) == 1


def test_a_released_heartbeat_without_a_recipient_uses_up_no_alert_number(connection: Db, project: UUID) -> None:
    heartbeat = a_heartbeat(connection, project)
    connection.execute("UPDATE notification_providers SET enabled = false")
    maintenance_windows.release(NOW)
    assert [(row[2], row[4]) for row in planned_alerts(connection)] == [(None, "suppressed")]
    state = rows.state(connection, heartbeat)
    assert (state["alerts_sent"], state["pending_alert"]) == (0, False)
    assert messages.waiting(queues.ALERTS) == []


def test_a_heartbeat_whose_recovery_was_held_back_is_told_from_how_it_stands(connection: Db, project: UUID) -> None:
    good = {"status": "up", "last_verdict": "up", "consecutive_failures": 0, "alerts_sent": 2}
    heartbeat = a_heartbeat(connection, project, **good, last_status_change_at=NOW - HOUR)
    maintenance_windows.release(NOW)
    maintenance_windows.release(NOW)
    assert planned_alerts(connection) == [("monitor.up", 3, None, "Recovered.", "pending")]
    assert rows.value(connection, "SELECT (context->>'downForSeconds')::int FROM alerts") == 3600
    assert rows.state(connection, heartbeat)["alerts_sent"] == 0


def test_a_heartbeat_that_has_begun_to_change_is_left_to_its_next_ping(connection: Db, project: UUID) -> None:
    heartbeat = a_heartbeat(connection, project, consecutive_failures=0, consecutive_successes=1)
    maintenance_windows.release(NOW)
    assert planned_alerts(connection) == []
    assert not rows.state(connection, heartbeat)["pending_alert"]
