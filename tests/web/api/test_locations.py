"""Locations as the API manages them."""

from collections.abc import Iterator
from typing import Any

import pytest

from actors.broker import broker
from actors.runtime import process_registry
from actors.verdicts import unanswered_rounds
from tests import factories
from tests.web.api.cast import Cast


@pytest.fixture(autouse=True)
def _no_signs_of_life_left(database_url: str) -> Iterator[None]:
    broker.client.flushall()
    yield


def listed(cast: Cast) -> list[Any]:
    found: list[Any] = cast.viewer.get("/locations").json["data"]  # type: ignore[index]
    return found


def test_a_location_is_added_with_its_queue_and_every_process_is_told(cast: Cast) -> None:
    made = cast.owner.post("/locations", {"code": "moon", "name": "Far away"})
    assert made.status_code == 201
    shown: Any = made.json
    assert (shown["code"], shown["name"], shown["queue"]) == ("moon", "Far away", "monitor-execution.moon")
    assert (shown["enabled"], shown["default"], shown["workersOnline"]) == (True, False, 0)
    assert process_registry.known_locations(broker.client) == ("us-east", "eu-central", "moon")
    monitor = {"name": "A", "type": "website", "target": "https://example.test/"}
    config = {"locationConfig": {"enabled": True, "locations": ["moon"]}}
    assert cast.editor.post("/monitors", {**monitor, "config": config}).status_code == 201
    assert cast.owner.delete("/locations/moon").status_code == 409


def test_a_location_is_renamed_switched_and_made_the_default(cast: Cast) -> None:
    assert cast.owner.patch("/locations/eu-central", {"name": "Elsewhere"}).json["name"] == "Elsewhere"  # type: ignore[index]
    assert cast.owner.put("/locations/eu-central", {"default": True}).json["default"] is True  # type: ignore[index]
    assert [one["code"] for one in listed(cast)] == ["eu-central", "us-east"]
    assert cast.owner.patch("/locations/eu-central", {"enabled": False}).json["default"] is False  # type: ignore[index]
    assert [(one["code"], one["default"]) for one in listed(cast)] == [("us-east", True), ("eu-central", False)]
    assert process_registry.known_locations(broker.client) == ("us-east",)
    refused = cast.owner.patch("/locations/us-east", {"enabled": False})
    assert refused.status_code == 409
    assert "the last enabled location" in refused.json["error"]["message"]  # type: ignore[index]


def test_a_location_that_nothing_names_is_removed(cast: Cast) -> None:
    factories.a_location("moon", "Moon", position=2)
    assert cast.owner.delete("/locations/moon").status_code == 204
    assert cast.owner.get("/locations/moon").status_code == 404
    for method in (cast.owner.delete, cast.owner.get):
        assert method("/locations/nowhere").status_code == 404
    assert cast.owner.patch("/locations/nowhere", {"name": "B"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"code": "Moon", "name": "A"}, "code"),
        ({"code": "m\n", "name": "A"}, "code"),
        ({"code": "moon"}, "name"),
        ({"code": "moon", "name": " "}, "name"),
        ({"code": "moon", "name": "A", "position": 1}, "position"),
    ],
)
def test_a_wrong_location_is_refused_by_field(cast: Cast, body: dict[str, str], field: str) -> None:
    answer = cast.owner.post("/locations", body)
    assert answer.status_code == 422
    assert field in answer.json["error"]["fields"]  # type: ignore[index]
    assert cast.owner.post("/locations", {"code": "us-east", "name": "A"}).status_code == 409


def test_changes_are_on_the_trail(cast: Cast) -> None:
    cast.owner.post("/locations", {"code": "moon", "name": "Moon"})
    cast.owner.patch("/locations/moon", {"enabled": False})
    cast.owner.delete("/locations/moon")
    trail = cast.owner.get("/audit?objectType=location").json["data"]  # type: ignore[index]
    assert [(one["action"], one["details"]["code"]) for one in trail] == [
        ("location.deleted", "moon"),
        ("location.changed", "moon"),
        ("location.created", "moon"),
    ]


def test_workers_and_unanswered_rounds_are_told(cast: Cast) -> None:
    broker.client.set("supercheck:worker:eu-central:one", 1, ex=60)
    unanswered_rounds.record(broker.client, ["eu-central", "eu-central"])
    us, eu = listed(cast)
    assert (us["workersOnline"], us["roundsUnanswered"]) == (0, 0)
    assert (eu["workersOnline"], eu["roundsUnanswered"]) == (1, 2)


def test_a_location_is_added_once_however_often_the_request_comes(cast: Cast) -> None:
    headers = {"Idempotency-Key": "once"}
    answers = [cast.owner.post("/locations", {"code": "moon", "name": "Far"}, headers=headers) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert cast.owner.post("/locations", {"code": "mars", "name": "Far"}, headers=headers).status_code == 409
