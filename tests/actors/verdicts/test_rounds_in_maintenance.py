"""Rounds decided while a monitor is in maintenance or muted, and afterwards, on the real database."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors import queues
from actors.verdicts import aggregate
from tests import messages, rows

Db = psycopg.Connection[Any]
MINUTE = timedelta(minutes=1)
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
WINDOW = (AT, AT + 10 * MINUTE)
SECOND = timedelta(seconds=1)


@pytest.fixture
def monitor(connection: Db, project: UUID) -> UUID:
    return rows.a_heard_monitor(
        connection, project, state={"status": "up", "last_verdict": "up"}, tags=["blue", "shop"]
    )


def decide(db: Db, monitor: UUID, minute: float, status: str = "down") -> None:
    """Decide a round that was scheduled `minute` minutes after the start of the window, one second later."""
    scheduled = AT + minute * MINUTE
    rows.a_result(db, monitor, scheduled, status)
    aggregate.settle([(monitor, scheduled)], scheduled + SECOND)


def alerts(db: Db) -> list[tuple[Any, ...]]:
    """Return (type, number, kind of suppression) of each alert, in the order of the rounds."""
    kind = "split_part(suppressed_because, ':', 1)"
    return db.execute(f"SELECT type, alert_number, {kind} FROM alerts ORDER BY created_at").fetchall()


def incidents(db: Db) -> list[tuple[Any, ...]]:
    return db.execute("SELECT in_maintenance, ended_at IS NOT NULL FROM incidents ORDER BY started_at").fetchall()


DOWN = ("monitor.down", 1, None)
SUPPRESSED = ("monitor.down", None, "maintenance")


def test_an_outage_in_a_window_changes_the_state_is_recorded_once_and_sends_no_alert(
    connection: Db, project: UUID, monitor: UUID
) -> None:
    rows.a_window(connection, project, *WINDOW, monitor)
    for minute in (1, 2, 3):
        decide(connection, monitor, minute)
    state = rows.state(connection, monitor)
    assert (state["status"], state["consecutive_failures"], state["alerts_sent"]) == ("down", 3, 0)
    assert (state["suppressed_by"], state["pending_alert"]) == ("maintenance", True)
    assert alerts(connection) == [SUPPRESSED]
    assert messages.waiting(queues.ALERTS) == []
    assert incidents(connection) == [(True, False)]
    because = rows.value(connection, "SELECT suppressed_because FROM alerts")
    assert because == f"maintenance: the monitor is in maintenance until {WINDOW[1]:%Y-%m-%d %H:%M} UTC"


def test_down_when_its_window_ends_it_alerts_then_as_number_one(connection: Db, project: UUID, monitor: UUID) -> None:
    rows.a_window(connection, project, *WINDOW, monitor)
    decide(connection, monitor, 1)
    decide(connection, monitor, 10)
    assert alerts(connection) == [SUPPRESSED, DOWN]
    assert not rows.state(connection, monitor)["pending_alert"]


def test_a_round_measured_in_the_window_and_decided_after_it_is_suppressed(
    connection: Db, project: UUID, monitor: UUID
) -> None:
    window = rows.a_window(connection, project, *WINDOW, monitor)
    # The window has moved to its next occurrence before the round is decided.
    connection.execute(
        "UPDATE maintenance_windows SET occurred_from = occurs_from, occurred_until = occurs_until, occurs_from = NULL,"
        " occurs_until = NULL WHERE id = %s",
        [window],
    )
    scheduled = WINDOW[1] - SECOND
    rows.a_result(connection, monitor, scheduled, "down")
    aggregate.settle([(monitor, scheduled)], WINDOW[1] + MINUTE)
    assert alerts(connection) == [SUPPRESSED]
    assert rows.state(connection, monitor)["pending_alert"]


def test_a_recovery_in_a_window_is_alerted_after_it_with_the_length_of_the_outage(
    connection: Db, project: UUID, monitor: UUID
) -> None:
    decide(connection, monitor, -2)
    rows.a_window(connection, project, *WINDOW, monitor)
    decide(connection, monitor, 1, "up")
    assert alerts(connection) == [DOWN]
    assert rows.state(connection, monitor)["status"] == "up"
    assert incidents(connection) == [(False, True)]
    decide(connection, monitor, 11, "up")
    decide(connection, monitor, 12, "up")
    assert alerts(connection) == [DOWN, ("monitor.up", None, None)]
    context = rows.value(connection, "SELECT context FROM alerts WHERE type = 'monitor.up'")
    assert context["downForSeconds"] == 3 * 60 + 1


def test_an_outage_that_returns_before_its_recovery_alert_is_the_same_one(
    connection: Db, project: UUID, monitor: UUID
) -> None:
    decide(connection, monitor, -2)
    rows.a_window(connection, project, *WINDOW, monitor)
    decide(connection, monitor, 1, "up")
    decide(connection, monitor, 10)
    assert alerts(connection) == [DOWN, ("monitor.down", 2, None)]
    assert incidents(connection) == [(False, False)]
    decide(connection, monitor, 12, "up")
    assert alerts(connection)[2:] == [("monitor.up", None, None)]
    assert incidents(connection) == [(False, True)]


def test_a_mute_uses_no_alert_number_either_and_each_reason_is_recorded(
    connection: Db, project: UUID, monitor: UUID
) -> None:
    connection.execute("UPDATE monitors SET muted_until = %s", [AT + 3 * MINUTE])
    decide(connection, monitor, 1)
    decide(connection, monitor, 2)
    rows.a_window(connection, project, AT + 3 * MINUTE, AT + 5 * MINUTE)
    decide(connection, monitor, 3)
    decide(connection, monitor, 4)
    decide(connection, monitor, 5)
    assert alerts(connection) == [("monitor.down", None, "mute"), SUPPRESSED, DOWN]
    assert rows.state(connection, monitor)["suppressed_by"] == "mute maintenance"


@pytest.mark.parametrize(
    ("scope", "suppressed"),
    [
        ({}, True),
        ({"tag": "blue"}, True),
        ({"tag": "green"}, False),
        ({"other": "monitor"}, False),
        ({"other": "project"}, False),
    ],
)
def test_a_window_holds_for_its_monitor_its_tag_or_its_whole_project(
    connection: Db, project: UUID, monitor: UUID, scope: dict[str, str], suppressed: bool
) -> None:
    other = rows.a_monitor(connection, project) if scope.get("other") == "monitor" else None
    owner = rows.a_project(connection) if scope.get("other") == "project" else project
    rows.a_window(connection, owner, *WINDOW, other, tag=scope.get("tag"))
    decide(connection, monitor, 1)
    assert alerts(connection) == [SUPPRESSED if suppressed else DOWN]


def test_deciding_a_suppressed_round_twice_is_the_same_as_once(connection: Db, project: UUID, monitor: UUID) -> None:
    rows.a_window(connection, project, *WINDOW, monitor)
    decide(connection, monitor, 1)
    before = rows.state(connection, monitor)
    aggregate.settle([(monitor, AT + MINUTE)], AT + 20 * MINUTE)
    assert rows.state(connection, monitor) == before
    assert alerts(connection) == [SUPPRESSED]


def test_the_pings_of_a_heartbeat_are_decided_in_order_whichever_message_comes_first(
    connection: Db, project: UUID
) -> None:
    # Given a failure and the success after it, neither of them decided
    state = {"status": "up", "decided_for": AT}
    heartbeat = rows.a_heard_monitor(connection, project, "", type="heartbeat", state=state)
    rows.a_result(connection, heartbeat, AT + MINUTE, "down", None)
    rows.a_result(connection, heartbeat, AT + 2 * MINUTE, "up", None)
    # When the later one is decided first, and then the earlier one
    for minute in (2, 1):
        aggregate.settle([(heartbeat, AT + minute * MINUTE)], AT + 3 * MINUTE)
    # Then both have counted
    assert sorted(alerts(connection)) == [DOWN, ("monitor.up", None, None)]
    assert rows.state(connection, heartbeat)["decided_for"] == AT + 2 * MINUTE


def test_the_rounds_of_other_types_are_decided_one_by_one(connection: Db, monitor: UUID) -> None:
    rows.a_result(connection, monitor, AT + MINUTE, "down")
    rows.a_result(connection, monitor, AT + 2 * MINUTE, "up")
    aggregate.settle([(monitor, AT + 2 * MINUTE)], AT + 3 * MINUTE)
    assert alerts(connection) == []
