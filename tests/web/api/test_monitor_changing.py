"""Changing, pausing and deleting monitors."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests import factories
from tests.conftest import SettingsOf
from tests.web.api.cast import Cast
from tests.web.api.monitors import HTTP, made, state_of


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_absent_fields_stay_and_config_is_merged_by_key(method: str, cast: Cast) -> None:
    monitor = made(
        cast,
        description="Before",
        tags=["a"],
        config={"keywordInBody": "ok", "headers": {"A": "1", "B": "2"}, "locationConfig": {"enabled": True}},
        alertConfig={"failureThreshold": 3, "customMessage": "Call Ada"},
    )
    changes = {
        "config": {"retries": 2, "headers": {"B": "3"}, "locationConfig": {"threshold": 70}},
        "alertConfig": {"recoveryThreshold": 2},
    }
    changed = cast.editor.call(method, f"/monitors/{monitor['id']}", changes).json
    assert changed is not None
    expected = {**monitor["config"], "retries": 2, "headers": {"B": "3"}}
    expected["locationConfig"] = {**monitor["config"]["locationConfig"], "threshold": 70}
    assert changed["config"] == expected
    assert changed["alertConfig"] == {**monitor["alertConfig"], "recoveryThreshold": 2}
    assert (changed["description"], changed["tags"], changed["name"]) == ("Before", ["a"], "Shop")


def test_a_time_zone_that_is_no_longer_taken_stays_until_the_schedule_changes(
    cast: Cast, connection: psycopg.Connection[Any]
) -> None:
    monitor = made(cast, cronExpression="0 3 * * *", timezone="Europe/Berlin")
    connection.execute("UPDATE monitors SET timezone = 'localtime'")
    path = f"/monitors/{monitor['id']}"
    assert cast.editor.patch(path, {"name": "Other", "enabled": False}).json["timezone"] == "localtime"  # type: ignore[index]
    answer = cast.editor.patch(path, {"cronExpression": "0 4 * * *"})
    assert answer.status_code == 422
    assert list(answer.json["error"]["fields"]) == ["timezone"]  # type: ignore[index]


def test_null_removes(cast: Cast) -> None:
    monitor = made(cast, description="Before", config={"keywordInBody": "ok", "timeoutSeconds": 9})
    changed = cast.editor.patch(
        f"/monitors/{monitor['id']}", {"description": None, "config": {"keywordInBody": None, "timeoutSeconds": None}}
    ).json
    assert changed is not None
    assert changed["description"] == ""
    assert "keywordInBody" not in changed["config"]
    assert changed["config"]["timeoutSeconds"] == 30


def test_a_monitors_type_does_not_change(cast: Cast) -> None:
    monitor = made(cast)
    assert cast.editor.patch(f"/monitors/{monitor['id']}", {"type": "website"}).status_code == 422
    assert cast.editor.patch(f"/monitors/{monitor['id']}", {"type": "http"}).status_code == 200


def test_every_change_gives_a_new_version_and_no_change_none(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    def version() -> int:
        row = connection.execute("SELECT version FROM monitors").fetchone()
        assert row is not None
        return int(row[0])

    monitor = made(cast)
    first = version()
    whole = cast.editor.get(f"/monitors/{monitor['id']}").json
    for unchanging in ({}, {"name": "Shop"}, whole):
        assert cast.editor.put(f"/monitors/{monitor['id']}", unchanging).status_code == 200
    assert version() == first
    cast.editor.patch(f"/monitors/{monitor['id']}", {"tags": ["a"]})
    assert version() == first + 1


def test_a_changed_schedule_is_due_at_once_and_another_change_leaves_it(
    cast: Cast, connection: psycopg.Connection[Any]
) -> None:
    monitor = factories.a_monitor(cast.project)
    planned = state_of(connection, str(monitor.id))["next_run_at"]
    cast.editor.patch(f"/monitors/{monitor.id}", {"name": "Renamed"})
    assert state_of(connection, str(monitor.id))["next_run_at"] == planned
    cast.editor.patch(f"/monitors/{monitor.id}", {"frequencyMinutes": 10})
    assert state_of(connection, str(monitor.id))["next_run_at"] <= datetime.now(UTC)


def test_pausing_drops_the_open_round_and_resuming_checks_at_once(
    cast: Cast, connection: psycopg.Connection[Any]
) -> None:
    now = datetime.now(UTC)
    monitor = factories.a_monitor(
        cast.project,
        state={"status": "up", "open_scheduled_for": now, "open_expected": ["us-east"], "open_deadline": now},
    )
    paused = cast.editor.patch(f"/monitors/{monitor.id}", {"enabled": False}).json
    assert (paused["status"], paused["nextRunAt"], paused["scheduledJobId"]) == ("paused", None, None)  # type: ignore[index]
    state = state_of(connection, str(monitor.id))
    assert (state["next_run_at"], state["open_scheduled_for"], state["open_deadline"]) == (None, None, None)
    resumed = cast.editor.patch(f"/monitors/{monitor.id}", {"enabled": True}).json
    assert resumed["status"] == "up"  # type: ignore[index]
    assert state_of(connection, str(monitor.id))["next_run_at"] <= datetime.now(UTC)


def test_a_narrowed_limit_does_not_freeze_the_monitors_there_are(cast: Cast, settings_of: SettingsOf) -> None:
    monitor = made(cast, frequencyMinutes=1, target="http://127.0.0.1/")
    settings_of(min_check_interval_seconds=600, allow_internal_targets=False)
    assert cast.editor.patch(f"/monitors/{monitor['id']}", {"name": "Renamed"}).status_code == 200
    assert cast.editor.patch(f"/monitors/{monitor['id']}", {"frequencyMinutes": 2}).status_code == 422


def test_a_monitor_is_saved_while_the_broker_is_away(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    import redis

    from actors.broker import broker

    def away(*_: object, **__: object) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(broker, "enqueue", away)
    assert cast.editor.post("/monitors", HTTP).status_code == 201


def test_a_deleted_monitor_is_gone_with_its_state(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    monitor = made(cast)
    assert cast.editor.delete(f"/monitors/{monitor['id']}").status_code == 204
    assert cast.editor.get(f"/monitors/{monitor['id']}").status_code == 404
    assert connection.execute("SELECT count(*) FROM monitor_states").fetchone() == (0,)


def test_a_heartbeats_expression_is_changed_and_removed(cast: Cast) -> None:
    monitor = made(cast, type="heartbeat", target="", config={"cronExpression": "0 4 * * *"})
    path = f"/monitors/{monitor['id']}"
    changed: Any = cast.editor.patch(path, {"config": {"cronExpression": "0 5 * * *"}}).json
    assert (changed["cronExpression"], changed["config"]["cronExpression"]) == ("0 5 * * *", "0 5 * * *")
    # As an answer that was edited comes back, with the old one at the top
    edited = {**changed, "config": {**changed["config"], "cronExpression": "0 6 * * *"}}
    assert cast.editor.put(path, edited).json["config"]["cronExpression"] == "0 6 * * *"  # type: ignore[index]
    back: Any = cast.editor.patch(path, {"config": {"cronExpression": None, "expectedIntervalMinutes": 5}}).json
    assert (back["cronExpression"], back["config"].get("cronExpression")) == (None, None)
    assert cast.editor.patch(path, {"cronExpression": "0 7 * * *"}).status_code == 422


def test_a_heartbeat_ignores_a_frequency(cast: Cast) -> None:
    monitor = made(cast, type="heartbeat", target="", frequencyMinutes=0, config={"expectedIntervalMinutes": 5})
    changed: Any = cast.editor.patch(f"/monitors/{monitor['id']}", {"frequencyMinutes": 1e9}).json
    assert changed["frequencyMinutes"] == monitor["frequencyMinutes"]
