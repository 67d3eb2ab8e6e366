"""Creating requests that are sent twice."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from tests import factories
from tests.web.api.cast import Cast
from tests.web.api.monitors import HTTP


def test_the_same_idempotency_key_creates_once(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    headers = {"Idempotency-Key": "deploy 42"}
    body = {"name": "A", "type": "heartbeat"}
    first, second = (cast.editor.post("/monitors", body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert connection.execute("SELECT count(*) FROM monitors").fetchone() == (1,)
    kept = str(connection.execute("SELECT response_body FROM idempotency_keys").fetchall())
    assert first.json["heartbeatUrl"].rpartition("/")[2] not in kept  # type: ignore[index]
    other = cast.editor.post("/monitors", {**body, "name": "B"}, headers=headers)
    assert (other.status_code, other.json["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")  # type: ignore[index]
    assert cast.stranger.post("/monitors", body, headers=headers).status_code == 201, "keys belong to a project"


def test_a_stolen_table_does_not_let_anybody_try_passwords(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    body = {"email": "new@example.test", "role": "project_viewer", "password": "a first password"}
    assert cast.admin.post("/members", body, headers={"Idempotency-Key": "k"}).status_code == 201
    row = connection.execute("SELECT request_hash FROM idempotency_keys").fetchone()
    assert row is not None
    assert row[0] != hashlib.sha256(json.dumps(body).encode()).digest()


def test_a_refused_request_does_not_use_its_idempotency_key_up(cast: Cast) -> None:
    headers = {"Idempotency-Key": "k"}
    assert cast.editor.post("/monitors", {"name": ""}, headers=headers).status_code == 422
    assert cast.editor.post("/monitors", HTTP, headers=headers).status_code == 201
    assert cast.editor.post("/monitors", HTTP, headers={"Idempotency-Key": "x" * 256}).status_code == 422


def test_two_requests_at_once_with_one_idempotency_key_create_once(
    cast: Cast, connection: psycopg.Connection[Any]
) -> None:
    headers = {"Idempotency-Key": "at once"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: cast.editor.post("/monitors", HTTP, headers=headers), range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1  # type: ignore[index]
    assert connection.execute("SELECT count(*) FROM monitors").fetchone() == (1,)


def test_bulk_actions_at_once_on_the_same_monitors_never_stand_in_each_others_way(cast: Cast) -> None:
    ids = [str(factories.a_monitor(cast.project).id) for _ in range(6)]

    def act(number: int) -> int:
        body = {"ids": ids if number % 2 else ids[::-1], "action": "addTag", "tag": f"t{number}"}
        return cast.editor.post("/monitors/bulk", body).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(act, range(16))) == {200}
