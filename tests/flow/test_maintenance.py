"""An outage in a maintenance window, from the check to the webhook."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests import outside, rows
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("road")

Db = psycopg.Connection[Any]
Tick = Callable[[], int]
HOUR = timedelta(hours=1)


def check(db: Db, monitor: UUID, tick: Tick) -> None:
    """One round, decided."""
    before = rows.state(db, monitor)["decided_for"]
    db.execute("UPDATE monitor_states SET next_run_at = %s", [datetime.now(UTC)])
    tick()
    until(lambda: rows.state(db, monitor)["decided_for"] != before, what="the round's decision")


def sent(db: Db) -> list[tuple[Any, ...]]:
    return db.execute("SELECT type, alert_number FROM alerts WHERE status = 'sent' ORDER BY created_at").fetchall()


def end_window(db: Db) -> None:
    db.execute("UPDATE maintenance_windows SET occurs_until = %s", [datetime.now(UTC)])


@pytest.fixture
def monitor(connection: Db, target: outside.Target, hook: outside.Hook, tick: Tick) -> UUID:
    """Up, its next slot an hour away; `hook` is notified."""
    project = rows.a_project(connection)
    monitor = rows.a_monitor(connection, project, target.url, interval=7200)
    rows.a_provider(connection, project, hook.url, monitor)
    check(connection, monitor, tick)
    now = datetime.now(UTC)
    rows.a_window(connection, project, now - HOUR, now + HOUR, monitor)
    return monitor


def watch(tick: Tick) -> None:
    """One turn of the periodic work, and the tick that it asks for."""
    from scheduling import maintenance_windows

    maintenance_windows.maintenance_windows.fn()
    tick()


def test_down_when_its_window_ends_it_is_checked_afresh_and_told(
    connection: Db, monitor: UUID, tick: Tick, target: outside.Target, hook: outside.Hook
) -> None:
    target.status = 500
    check(connection, monitor, tick)
    watch(tick)
    assert rows.state(connection, monitor)["status"] == "down"
    assert hook.events() == []
    end_window(connection)
    watch(tick)
    until(lambda: sent(connection) == [("monitor.down", 1)], what="the alert")
    assert hook.events() == ["monitor.down"]


def test_well_again_when_its_window_ends_nobody_hears_of_it(
    connection: Db, monitor: UUID, tick: Tick, target: outside.Target, hook: outside.Hook
) -> None:
    target.status = 500
    check(connection, monitor, tick)
    target.status = 200
    end_window(connection)
    watch(tick)
    until(lambda: rows.state(connection, monitor)["status"] == "up", what="the recovery")
    held = connection.execute("SELECT status, alert_number FROM alerts").fetchall()
    assert held == [("suppressed", None)]
    assert hook.events() == []


def test_an_outage_that_was_told_and_ended_in_the_window_is_told_to_be_over_after_it(
    connection: Db, monitor: UUID, tick: Tick, target: outside.Target, hook: outside.Hook
) -> None:
    connection.execute("UPDATE maintenance_windows SET monitor_id = NULL, tag = 'later'")
    target.status = 500
    check(connection, monitor, tick)
    until(lambda: sent(connection) == [("monitor.down", 1)], what="the alert")
    connection.execute("UPDATE maintenance_windows SET tag = NULL")
    target.status = 200
    check(connection, monitor, tick)
    assert rows.state(connection, monitor)["status"] == "up"
    assert hook.events() == ["monitor.down"]
    end_window(connection)
    watch(tick)
    until(lambda: len(sent(connection)) == 2, what="the recovery")
    assert hook.events() == ["monitor.down", "monitor.up"]
