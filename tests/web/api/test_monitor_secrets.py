"""A monitor's secrets: in, never out, and not lost on the way."""

from typing import Any

import psycopg

from tests.web.api.cast import Cast
from tests.web.api.monitors import made, secrets_in


def test_secrets_are_masked_sealed_and_left_alone_when_the_mask_comes_back(
    cast: Cast, connection: psycopg.Connection[Any]
) -> None:
    auth = {"type": "basic", "username": "ada", "password": "correct horse"}
    headers = {"X-Api-Key": "0123456789", "Cookie": "short", "Accept": "text/html"}
    monitor = made(cast, config={"auth": auth, "headers": headers})
    assert monitor["config"]["auth"]["password"] == "co…se"
    assert monitor["config"]["headers"] == {"X-Api-Key": "01…89", "Cookie": "…", "Accept": "text/html"}
    whole = cast.editor.get(f"/monitors/{monitor['id']}").json
    assert cast.editor.put(f"/monitors/{monitor['id']}", {**whole, "name": "Renamed"}).status_code == 200  # type: ignore[dict-item]
    expected = {"auth.password": "correct horse", "headers.X-Api-Key": "0123456789", "headers.Cookie": "short"}
    assert secrets_in(connection, monitor["id"]) == expected
    for table in ("monitors", "audit_events"):
        text = str(connection.execute(f"SELECT to_jsonb(t) - 'secrets' FROM {table} t").fetchall())
        assert "correct horse" not in text
        assert "0123456789" not in text


def test_a_new_secret_replaces_the_old_one(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    monitor = made(cast, config={"auth": {"type": "bearer", "token": "first-token"}})
    changed = cast.editor.patch(f"/monitors/{monitor['id']}", {"config": {"auth": {"token": "second-token"}}}).json
    assert changed["config"]["auth"] == {"type": "bearer", "token": "se…en"}  # type: ignore[index]
    assert secrets_in(connection, monitor["id"]) == {"auth.token": "second-token"}


def test_a_heartbeats_token_survives_changes(cast: Cast) -> None:
    monitor = cast.editor.post("/monitors", {"name": "A", "type": "heartbeat"}).json
    changed = cast.editor.patch(f"/monitors/{monitor['id']}", {"config": {"gracePeriodMinutes": 20}}).json  # type: ignore[index]
    assert changed["heartbeatUrl"] == monitor["heartbeatUrl"]  # type: ignore[index]
