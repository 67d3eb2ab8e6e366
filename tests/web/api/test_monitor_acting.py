"""Checking now, many at once, and the trace that it leaves."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg

from models.rules import round_ids
from tests import factories
from tests.web.api.cast import Cast, Watch
from tests.web.api.monitors import HTTP, Row, state_of


def test_run_makes_a_round_due_now_and_names_it(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    monitor = factories.a_monitor(cast.project)
    answer = cast.editor.post(f"/monitors/{monitor.id}/run")
    assert answer.status_code == 202
    due = state_of(connection, str(monitor.id))["next_run_at"]
    assert abs(due - datetime.now(UTC)) < timedelta(seconds=20)
    expected = str(round_ids.round_id(monitor.id, due))
    assert answer.json["executionGroupId"] == expected  # type: ignore[index]
    again = cast.editor.post(f"/monitors/{monitor.id}/run").json
    assert again["executionGroupId"] == expected, "the one already due"  # type: ignore[index]


def test_run_names_the_round_under_way(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=3)
    monitor = factories.a_monitor(cast.project, state={"open_scheduled_for": begun, "open_deadline": begun})
    planned = state_of(connection, str(monitor.id))["next_run_at"]
    answer = cast.editor.post(f"/monitors/{monitor.id}/run").json
    assert answer["executionGroupId"] == str(round_ids.round_id(monitor.id, begun))  # type: ignore[index]
    assert state_of(connection, str(monitor.id))["next_run_at"] == planned


def test_neither_paused_monitors_nor_heartbeats_can_be_run(cast: Cast, watch: Watch) -> None:
    for monitor in (factories.a_monitor(cast.project, enabled=False), factories.a_monitor(cast.project, "heartbeat")):
        assert cast.editor.post(f"/monitors/{monitor.id}/run").status_code == 409


def test_bulk_does_what_can_be_done_and_tells_the_rest(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    one, paused = factories.a_monitor(cast.project), factories.a_monitor(cast.project, enabled=False)
    foreign = factories.a_monitor(cast.other_project)
    ids = [str(one.id), str(paused.id), str(foreign.id), str(uuid4()), "nonsense", str(one.id)]

    def bulk(action: str, **more: str) -> Row:
        answer = cast.editor.post("/monitors/bulk", {"ids": ids, "action": action, **more})
        assert answer.status_code == 200, answer.text
        return answer.json  # type: ignore[return-value]

    ran = bulk("run")
    assert ran["done"] == [str(one.id)]
    assert ran["failed"].keys() == set(ids[1:5])
    for action, more in (("pause", {}), ("resume", {}), ("addTag", {"tag": "a"}), ("removeTag", {"tag": "b"})):
        assert bulk(action, **more)["done"] == ids[:2], action
    assert {tuple(row[0]) for row in connection.execute("SELECT tags FROM monitors").fetchall()} == {("a",), ()}
    assert bulk("delete")["done"] == ids[:2]
    assert connection.execute("SELECT id FROM monitors").fetchall() == [(foreign.id,)]


def test_bulk_refuses_what_makes_no_sense(cast: Cast, watch: Watch) -> None:
    for body in (
        {"ids": [], "action": "pause"},
        {"ids": ["a"], "action": "explode"},
        {"ids": ["a"], "action": "addTag"},
        {"ids": ["a"], "action": "addTag", "tag": ","},
        {"ids": ["a"], "action": "pause", "tag": "a"},
        {"ids": "a", "action": "pause"},
        {"ids": ["a"] * 1001, "action": "pause"},
    ):
        assert cast.editor.post("/monitors/bulk", body).status_code == 422
    assert watch.unchanged()


def test_every_change_leaves_a_trace_of_who_did_it(cast: Cast) -> None:
    monitor = cast.person.post("/monitors", HTTP).json
    cast.person.patch(f"/monitors/{monitor['id']}", {"name": "Renamed"})  # type: ignore[index]
    cast.person.post(f"/monitors/{monitor['id']}/run")  # type: ignore[index]
    cast.person.delete(f"/monitors/{monitor['id']}")  # type: ignore[index]
    events = cast.admin.get(f"/audit?objectId={monitor['id']}").json["data"]  # type: ignore[index]
    assert [one["action"] for one in events] == [
        "monitor.deleted",
        "monitor.run",
        "monitor.changed",
        "monitor.created",
    ]
    assert {one["actor"] for one in events} == {cast.user.email}
