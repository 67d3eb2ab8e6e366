"""Rounds of several locations, from tick to delivery."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests import outside, rows
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("road")

Db = psycopg.Connection[Any]
Tick = Callable[[], int]
THREE = ["asia-pacific", "eu-central", "us-east"]

#: (strategy, threshold) -> how many of three locations must find the target up
NEEDED = {
    ("all", 50): 3,
    ("any", 50): 1,
    ("majority", 50): 2,
    ("custom", 33): 1,
    ("custom", 34): 2,
    ("custom", 66): 2,
    ("custom", 67): 3,
    ("custom", 100): 3,
}


def in_all(strategy: str = "all", threshold: int = 50, locations: list[str] = THREE) -> dict[str, Any]:
    chosen = {"enabled": True, "locations": locations, "strategy": strategy, "threshold": threshold}
    return {"locationConfig": chosen}


def test_every_strategy_decides_every_split_of_three_locations(
    connection: Db, tick: Tick, target: outside.Target
) -> None:
    # Given a monitor for every strategy and split; what other locations than our own see is there already
    for code in THREE:
        rows.a_location(connection, code, 1)
    project = rows.a_project(connection)
    wanted: dict[UUID, str] = {}
    for (strategy, threshold), needed in NEEDED.items():
        for up in range(4):
            due = datetime.now(UTC)
            address = target.url if up else "http://127.0.0.1:9/"
            config = in_all(strategy, threshold)
            monitor = rows.a_monitor(connection, project, address, config=config, due=due)
            for code in THREE[: 3 - max(up, 1)]:
                rows.a_result(connection, monitor, due, "down", code, THREE)
            wanted[monitor] = "up" if up >= needed else "down"
    # When their round comes
    assert tick() == len(wanted)

    # Then each is decided by the rule of its strategy
    def statuses() -> dict[UUID, str]:
        found = connection.execute("SELECT monitor_id, status FROM monitor_states WHERE open_scheduled_for IS NULL")
        return dict(found.fetchall())

    until(lambda: len(statuses()) == len(wanted))
    assert statuses() == wanted
    assert rows.value(connection, "SELECT count(*) FROM monitor_results") == 3 * len(wanted)
    failed = [status for status in wanted.values() if status == "down"]
    assert rows.value(connection, "SELECT count(*) FROM alerts") == len(failed)


def test_a_location_that_stays_silent_delays_the_verdict_to_the_deadline_and_no_longer(
    connection: Db, tick: Tick, hook: outside.Hook, sweep: Callable[[], None]
) -> None:
    # Given a location whose worker says that it lives and answers nothing
    from actors.broker import broker

    rows.a_location(connection, "mars", 1)
    broker.client.set("supercheck:worker:mars:silent", 1, ex=60)
    project = rows.a_project(connection)
    config = in_all("majority", locations=["us-east", "mars"])
    monitor = rows.a_monitor(connection, project, "http://127.0.0.1:9/", config=config)
    rows.a_provider(connection, project, hook.url, monitor)
    tick()
    # When the other one has answered
    until(lambda: rows.value(connection, "SELECT count(*) FROM monitor_results") == 1)
    sweep()
    state = rows.state(connection, monitor)
    assert state["open_expected"] == ["us-east", "mars"]
    assert (state["status"], hook.received) == ("pending", [])
    # Then the round is decided at its deadline by what there is
    connection.execute("UPDATE monitor_states SET open_deadline = now()")
    sweep()
    until(lambda: hook.events() == ["monitor.down"], what="the webhook")
    assert [one["location"] for one in hook.received[0]["locations"]] == ["us-east"]
    assert rows.state(connection, monitor)["open_scheduled_for"] is None


def test_a_location_without_a_live_worker_is_not_waited_for(connection: Db, tick: Tick, target: outside.Target) -> None:
    rows.a_location(connection, "mars", 1)
    project = rows.a_project(connection)
    monitor = rows.a_monitor(connection, project, target.url, config=in_all("all", locations=["us-east", "mars"]))
    tick()
    until(lambda: rows.state(connection, monitor)["status"] == "up")
    assert rows.value(connection, "SELECT count(*) FROM monitor_results") == 1
