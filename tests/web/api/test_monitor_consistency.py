"""Settings that contradict each other: refused if they can never be met, else saved with a warning."""

from typing import Any

import pytest

from tests import factories
from tests.web.api.cast import Cast
from tests.web.api.monitors import HTTP
from web.http.extensions import db

Row = dict[str, Any]
HEAD: Row = {"method": "HEAD"}


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({**HEAD, "keywordInBody": "ok"}, "config.keywordInBody"),
        ({**HEAD, "keywordInBody": "ok", "keywordInBodyShouldBePresent": False}, "config.keywordInBody"),
        ({**HEAD, "jsonPath": "$.status"}, "config.jsonPath"),
        ({"expectedStatusCodes": "301"}, "config.expectedStatusCodes"),
        ({"expectedStatusCodes": "3xx"}, "config.expectedStatusCodes"),
        ({"expectedStatusCodes": "301, 302,307-308"}, "config.expectedStatusCodes"),
        ({"expectedStatusCodes": "1xx"}, "config.expectedStatusCodes"),
        ({"expectedStatusCodes": "204", "keywordInBody": "ok"}, "config.keywordInBody"),
        ({"expectedStatusCodes": "204,304", "jsonPath": "$.a"}, "config.jsonPath"),
        ({"jsonPath": "$.a", "jsonPathExpected": {"op": "gt"}}, "config.jsonPathExpected"),
        ({"jsonPath": "$.a", "jsonPathExpected": {"op": "lte", "value": [1]}}, "config.jsonPathExpected"),
        ({"jsonPath": "$.a", "jsonPathExpected": {"op": "lt", "value": True}}, "config.jsonPathExpected"),
        ({"jsonPath": "$.a", "jsonPathExpected": {"op": "exists", "value": 0}}, "config.jsonPathExpected"),
    ],
)
def test_what_can_never_be_met_is_refused(cast: Cast, config: Row, field: str) -> None:
    answer = cast.editor.post("/monitors", {**HTTP, "config": config})
    assert answer.status_code == 422
    assert answer.json["error"]["fields"].keys() == {field}  # type: ignore[index]


@pytest.mark.parametrize(
    "config",
    [
        HEAD,
        {"expectedStatusCodes": "304"},
        {"expectedStatusCodes": "2xx,301"},
        {"expectedStatusCodes": "301", "followRedirects": False},
        {"keywordInBody": "ok", "jsonPath": "$.a"},
        {"expectedStatusCodes": "204"},
        {"expectedStatusCodes": "200,204", "keywordInBody": "ok"},
        {"jsonPath": "$.a", "jsonPathExpected": {"op": "gt", "value": 1.5}},
        {"jsonPath": "$.a", "jsonPathExpected": {"op": "lt", "value": "b"}},
        {"jsonPath": "$.a", "jsonPathExpected": {"op": "exists", "value": False}},
    ],
)
def test_what_can_be_met_is_saved_without_a_word(cast: Cast, config: Row) -> None:
    answer = cast.editor.post("/monitors", {**HTTP, "config": config})
    assert answer.status_code == 201, answer.text
    assert answer.json["warnings"] == []  # type: ignore[index]


@pytest.mark.parametrize(
    ("target", "version", "other"), [("http://192.0.2.1/", "6", "4"), ("http://[2001:db8::1]:8080/", "4", "6")]
)
def test_an_address_of_one_family_is_not_asked_for_over_the_other(
    cast: Cast, target: str, version: str, other: str
) -> None:
    monitor = {**HTTP, "target": target}
    answer = cast.editor.post("/monitors", {**monitor, "config": {"ipVersion": version}})
    assert answer.json["error"]["fields"].keys() == {"config.ipVersion"}  # type: ignore[index]
    assert cast.editor.post("/monitors", {**monitor, "config": {"ipVersion": other}}).status_code == 201
    named = {**HTTP, "target": "https://example.org/", "config": {"ipVersion": version}}
    made = cast.editor.post("/monitors", named).json
    answer = cast.editor.patch(f"/monitors/{made['id']}", {"target": target})  # type: ignore[index]
    assert answer.json["error"]["fields"].keys() == {"config.ipVersion"}  # type: ignore[index]


def test_a_contradiction_made_by_a_change_is_refused_as_well(cast: Cast) -> None:
    made = cast.editor.post("/monitors", {**HTTP, "config": {"keywordInBody": "ok"}}).json
    answer = cast.editor.patch(f"/monitors/{made['id']}", {"config": HEAD})  # type: ignore[index]
    assert answer.json["error"]["fields"].keys() == {"config.keywordInBody"}  # type: ignore[index]


def test_a_contradiction_that_was_saved_before_does_not_freeze_the_monitor(cast: Cast) -> None:
    old = factories.a_monitor(cast.project, config={**HEAD, "keywordInBody": "ok"})
    assert cast.editor.patch(f"/monitors/{old.id}", {"name": "B", "config": {"retries": 2}}).status_code == 200
    answer = cast.editor.patch(f"/monitors/{old.id}", {"config": {"keywordInBody": "still"}})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"frequencyMinutes": 1, "config": {"timeoutSeconds": 90}}, "config.timeoutSeconds"),
        ({"cronExpression": "*/2 * * * *", "config": {"timeoutSeconds": 150}}, "config.timeoutSeconds"),
        ({"config": {"timeoutSeconds": 10, "maxResponseTimeMs": 10_000}}, "config.maxResponseTimeMs"),
        ({"frequencyMinutes": 1, "config": {"timeoutSeconds": 30, "retries": 2}}, "config.timeoutSeconds"),
        ({"config": {"method": "HEAD", "body": "x"}}, "config.body"),
        ({"config": {"jsonPathExpected": "ok"}}, "config.jsonPathExpected"),
        ({"config": {"jsonPath": "$.error", "jsonPathExpected": None}}, "config.jsonPathExpected"),
    ],
)
def test_what_has_no_effect_or_another_is_saved_with_a_warning(cast: Cast, change: Row, field: str) -> None:
    answer = cast.editor.post("/monitors", {**HTTP, **change})
    assert answer.status_code == 201, answer.text
    warnings = answer.json["warnings"]  # type: ignore[index]
    assert [one["field"] for one in warnings] == [field]
    assert all(one["message"].endswith(".") for one in warnings)


def test_a_header_that_the_login_replaces_is_saved_with_a_warning(cast: Cast) -> None:
    config = {
        "auth": {"type": "bearer", "token": "vR7-kQ2z9Lm4Xw8Tb1Yc"},
        "headers": {"authorization": "Zq4-hN8s2Kd6Pv0Rg3Jf"},
    }
    answer = cast.editor.post("/monitors", {**HTTP, "config": config})
    assert "config.headers.authorization" in [one["field"] for one in answer.json["warnings"]]  # type: ignore[index]


def test_a_heartbeats_run_that_may_last_longer_than_its_deadline_warns(cast: Cast) -> None:
    config = {"expectedIntervalMinutes": 5, "gracePeriodMinutes": 1, "maxRunMinutes": 6}
    body = {"name": "A", "type": "heartbeat", "config": config}
    assert cast.editor.post("/monitors", body).json["warnings"] == []  # type: ignore[index]
    answer = cast.editor.post("/monitors", {**body, "config": {**config, "maxRunMinutes": 7}})
    assert [one["field"] for one in answer.json["warnings"]] == ["config.maxRunMinutes"]  # type: ignore[index]


def test_locations_that_are_all_disabled_warn(cast: Cast) -> None:
    factories.a_location("old", "Old", position=7, enabled=False)
    located = {"enabled": True, "locations": ["old"]}
    answer = cast.editor.post("/monitors", {**HTTP, "config": {"locationConfig": located}})
    assert [one["field"] for one in answer.json["warnings"]] == ["config.locationConfig.locations"]  # type: ignore[index]
    located["locations"] = ["old", "us-east"]
    answer = cast.editor.post("/monitors", {**HTTP, "config": {"locationConfig": located}})
    assert answer.json["warnings"] == []  # type: ignore[index]


def test_an_absent_expectation_does_not_warn_and_null_in_a_change_removes_it(cast: Cast) -> None:
    answer = cast.editor.post("/monitors", {**HTTP, "config": {"jsonPath": "$.a"}})
    assert answer.json["warnings"] == []  # type: ignore[index]
    compared = {"op": "eq", "value": None}
    body = {**HTTP, "config": {"jsonPath": "$.a", "jsonPathExpected": compared}}
    made = cast.editor.post("/monitors", body).json
    assert made["config"]["jsonPathExpected"] == compared  # type: ignore[index]
    changed = cast.editor.patch(f"/monitors/{made['id']}", {"config": {"jsonPathExpected": None}}).json  # type: ignore[index]
    assert "jsonPathExpected" not in changed["config"]  # type: ignore[index]


@pytest.mark.parametrize(("old", "new"), [(1, True), (True, 1), (0, False), ({"a": 1}, {"a": True})])
def test_true_and_one_are_two_values(cast: Cast, old: object, new: object) -> None:
    body = {**HTTP, "config": {"jsonPath": "$.a", "jsonPathExpected": old}}
    made = cast.editor.post("/monitors", body).json
    changed = cast.editor.patch(f"/monitors/{made['id']}", {"config": {"jsonPathExpected": new}}).json  # type: ignore[index]
    assert repr(changed["config"]["jsonPathExpected"]) == repr(new)  # type: ignore[index]


@pytest.mark.parametrize(
    ("cron", "minutes", "warns"),
    [
        ("0 * * * *", 60, True),
        ("0 * * * *", 59, False),
        ("* * * * *", 1, True),
        ("* 0-22 * * *", 1, False),
        ("0 0 * * *", 1439, False),
        ("0 3 1 * *", 43_200, False),
        ("0 0 * * 1-5", 1440, False),
    ],
)
def test_a_window_that_never_ends_warns(cast: Cast, cron: str, minutes: int, warns: bool) -> None:
    body = {"name": "A", "cronExpression": cron, "durationMinutes": minutes}
    answer = cast.editor.post("/maintenance-windows", body)
    assert answer.status_code == 201, answer.text
    assert [one["field"] for one in answer.json["warnings"]] == ["durationMinutes"] * warns  # type: ignore[index]


def test_a_changed_window_warns_and_a_disabled_one_does_not(cast: Cast) -> None:
    body = {"name": "A", "cronExpression": "0 * * * *", "durationMinutes": 5}
    path = f"/maintenance-windows/{cast.editor.post('/maintenance-windows', body).json['id']}"  # type: ignore[index]
    assert cast.editor.patch(path, {"durationMinutes": 90}).json["warnings"]  # type: ignore[index]
    assert cast.editor.patch(path, {"enabled": False}).json["warnings"] == []  # type: ignore[index]
    db.session.rollback()
