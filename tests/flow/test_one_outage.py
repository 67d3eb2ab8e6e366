"""The story from tick to delivery: a target breaks, people are notified, it recovers, people are notified."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import pytest

from tests import outside, rows
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("road")

Db = psycopg.Connection[Any]
Tick = Callable[[], int]


def status(db: Db, monitor: Any) -> str:
    row = db.execute("SELECT status FROM monitor_states WHERE monitor_id = %s", [monitor]).fetchone()
    assert row is not None
    return str(row[0])


def make_due(db: Db, monitor: Any) -> None:
    db.execute("UPDATE monitor_states SET next_run_at = %s WHERE monitor_id = %s", [datetime.now(UTC), monitor])


def results(db: Db, monitor: Any) -> int:
    row = db.execute("SELECT count(*) FROM monitor_results WHERE monitor_id = %s", [monitor]).fetchone()
    assert row is not None
    return int(row[0])


def decided(db: Db, monitor: Any, rounds: int) -> bool:
    """So many results are stored and no round is open."""
    row = db.execute(
        "SELECT open_scheduled_for IS NULL FROM monitor_states WHERE monitor_id = %s", [monitor]
    ).fetchone()
    assert row is not None
    return results(db, monitor) == rounds and bool(row[0])


def test_an_outage_is_told_once_and_its_end_once(
    connection: Db, tick: Tick, target: outside.Target, hook: outside.Hook
) -> None:
    # Given a monitor that is up
    project = rows.a_project(connection)
    monitor = rows.a_monitor(connection, project, target.url, config={"keywordInBody": "well"})
    rows.a_provider(connection, project, hook.url, monitor)
    tick()
    until(lambda: status(connection, monitor) == "up")

    # When its target breaks
    target.status = 500
    make_due(connection, monitor)
    tick()

    # Then the webhook is notified
    until(lambda: hook.events() == ["monitor.down"], what="the down webhook")
    assert hook.received[0]["errorCode"] == "UNEXPECTED_STATUS"
    assert hook.received[0]["alertNumber"] == 1

    # And when it is repaired
    target.status = 200
    make_due(connection, monitor)
    tick()
    until(lambda: hook.events() == ["monitor.down", "monitor.up"], what="the up webhook")
    assert hook.received[1]["alertNumber"] is None
    until(lambda: decided(connection, monitor, 3))
    # The webhook hears of it a moment before its answer is on record.
    until(lambda: rows.value(connection, "SELECT count(*) FROM alerts WHERE status = 'sent'") == 2)
    alerts = connection.execute("SELECT type, alert_number FROM alerts ORDER BY created_at").fetchall()
    assert alerts == [("monitor.down", 1), ("monitor.up", None)]
    sums = connection.execute("SELECT up, down, response_count FROM monitor_rollups_hourly").fetchall()
    assert [sum(column) for column in zip(*sums, strict=True)] == [2, 1, 2]


def test_a_long_outage_is_told_three_times_and_the_limit_is_on_record(
    connection: Db, tick: Tick, target: outside.Target, hook: outside.Hook
) -> None:
    project = rows.a_project(connection)
    target.status = 503
    monitor = rows.a_monitor(connection, project, target.url)
    rows.a_provider(connection, project, hook.url, monitor)
    for round_number in range(1, 7):
        make_due(connection, monitor)
        tick()
        until(partial(decided, connection, monitor, round_number))
    until(lambda: len(hook.received) == 3)
    alerts = connection.execute("SELECT alert_number, suppressed_because FROM alerts ORDER BY created_at").fetchall()
    assert [number for number, _ in alerts] == [1, 2, 3, None]
    assert alerts[3][1].startswith("limit")
    assert [one["alertNumber"] for one in hook.received] == [1, 2, 3]
