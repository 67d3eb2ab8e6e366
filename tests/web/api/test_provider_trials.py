"""Test messages through providers that are not saved."""

from typing import Any

import psycopg
import pytest

from tests.web.api.cast import Cast, Watch
from tests.web.api.test_providers import Service, service  # noqa: F401  (a fixture)

PROVIDERS = "/notification-providers"
TEST = f"{PROVIDERS}/test"
AGAIN = "What it is sent to has changed: enter the secret again."
Serving = tuple[str, type[Service]]


def providers(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute("SELECT p::text FROM notification_providers p ORDER BY id").fetchall()


def test_a_message_is_sent_and_nothing_is_saved(
    cast: Cast,
    service: Serving,  # noqa: F811
    connection: psycopg.Connection[Any],
) -> None:
    url, handler = service
    answer = cast.editor.post(TEST, {"name": "A", "type": "webhook", "config": {"url": url, "secret": "typed only"}})
    assert answer.status_code == 200
    assert (answer.json["success"], answer.json["error"]) == (True, None)  # type: ignore[index]
    assert [one["X-Supercheck-Event"] for one in handler.got] == ["test"]
    assert handler.got[0]["X-Supercheck-Signature"].startswith("sha256=")
    assert providers(connection) == []
    handler.status = 404
    failed = cast.editor.post(TEST, {"name": "A", "type": "webhook", "config": {"url": url}}).json
    assert failed["success"] is False  # type: ignore[index]
    assert "404" in failed["error"]  # type: ignore[index]


def test_stored_secrets_are_used_only_while_they_go_to_the_same_place(
    cast: Cast,
    service: Serving,  # noqa: F811
    connection: psycopg.Connection[Any],
) -> None:
    url, handler = service
    body = {"name": "A", "type": "webhook", "config": {"url": url, "headers": {"X-Key": "stored secret"}}}
    made: Any = cast.editor.post(PROVIDERS, body).json
    before = providers(connection)
    assert "stored secret" not in str(made)
    assert cast.editor.post(TEST, {**made, "name": "B"}).json["success"] is True  # type: ignore[index]
    assert handler.got[-1]["X-Key"] == "stored secret"
    moved = {**made, "config": {**made["config"], "url": "http://127.0.0.1:9/elsewhere"}}
    answer = cast.editor.post(TEST, moved)
    assert answer.status_code == 422
    assert AGAIN in answer.json["error"]["fields"].values()  # type: ignore[index]
    without_id = {key: value for key, value in made.items() if key != "id"}
    assert cast.editor.post(TEST, without_id).status_code == 422, "a mask alone is no secret"
    assert len(handler.got) == 1
    assert providers(connection) == before, "not even its health is touched"


@pytest.mark.parametrize("who", ["viewer", "stranger", "anonymous"])
def test_others_send_nothing(cast: Cast, watch: Watch, service: Serving, who: str) -> None:  # noqa: F811
    url, handler = service
    made: Any = cast.editor.post(PROVIDERS, {"name": "A", "type": "webhook", "config": {"url": url}}).json
    answer = getattr(cast, who).post(TEST, made)
    assert answer.status_code == {"viewer": 403, "stranger": 404, "anonymous": 401}[who]
    assert handler.got == []


def test_what_could_not_be_saved_is_not_sent(cast: Cast) -> None:
    for body, field in (
        ({"name": "A", "type": "webhook", "config": {"url": "no url"}}, "config.url"),
        ({"id": "nonsense", "name": "A", "type": "slack", "config": {}}, "id"),
    ):
        answer = cast.editor.post(TEST, body)
        assert answer.status_code == 422
        assert field in answer.json["error"]["fields"]  # type: ignore[index]
