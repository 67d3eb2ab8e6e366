"""Wrong input in every form gets the error object and changes nothing."""

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
import redis
from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from tests import factories
from tests.conftest import SettingsOf
from tests.web.api.cast import Caller, Cast, Watch, contents
from tests.web.api.contract import check_error
from tests.web.api.test_access import OPERATIONS, named, own_object, path_of
from web.api.pagination import PageQuery
from web.api.route import Operation

WITH_BODY = [one for one in OPERATIONS if one.body is not None]


def objects(cast: Cast, operations: list[Operation]) -> dict[str, object]:
    """For each route that names one, the id of something that is there."""
    return {named(one): own_object(cast, one) if "<uuid:" in one.rule else "" for one in operations}


def refusals(cast: Cast, watch: Watch, send: Callable[[str, str], TestResponse]) -> dict[str, int]:
    """What every route with a body answers to `send(method, path)`; fails where anything was changed."""
    there = objects(cast, WITH_BODY)
    before = replace(watch, before=contents(watch.connection))
    answers = {named(one): send(one.method, path_of(one, there[named(one)])).status_code for one in WITH_BODY}
    assert before.unchanged()
    return answers


def raw(cast: Cast, data: bytes, kind: str = "application/json") -> Callable[[str, str], TestResponse]:
    return lambda method, path: cast.owner.call(method, path, data=data, content_type=kind)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"name": NaN}',
        b'{"name": "a", "name": "b"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"page": ' + b"9" * 5000 + b"}",
    ],
    ids=["cut", "word", "nan", "twice", "binary", "deep", "endless-number"],
)
def test_malformed_json_is_refused_everywhere(body: bytes, cast: Cast, watch: Watch) -> None:
    answers = refusals(cast, watch, raw(cast, body))
    assert set(answers.values()) == {400}, answers


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_is_not_sent_as_json_is_refused_everywhere(kind: str, cast: Cast, watch: Watch) -> None:
    answers = refusals(cast, watch, raw(cast, b"{}", kind))
    assert set(answers.values()) == {415}, answers


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"null"])
def test_what_is_no_object_is_refused_everywhere(body: bytes, cast: Cast, watch: Watch) -> None:
    answers = refusals(cast, watch, raw(cast, body))
    assert set(answers.values()) == {422}, answers


def test_an_unknown_field_is_named_everywhere(cast: Cast, watch: Watch) -> None:
    def send(method: str, path: str) -> TestResponse:
        answer = cast.owner.call(method, path, {"naem": "typo"})
        assert answer.json["error"]["fields"]["naem"] == "There is no such field."  # type: ignore[index]
        return answer

    assert set(refusals(cast, watch, send).values()) == {422}


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"], ids=["nul", "surrogate"])
def test_text_that_no_column_can_hold_is_refused_everywhere(text: str, cast: Cast, watch: Watch) -> None:
    answers = refusals(cast, watch, lambda method, path: cast.owner.call(method, path, {"name": text, text: 1}))
    assert set(answers.values()) == {422}, answers


def test_a_body_that_is_too_large_is_refused(cast: Cast, watch: Watch) -> None:
    answer = cast.owner.post("/monitors", {"name": "a" * 1_100_000, "type": "heartbeat"})
    assert answer.status_code == 413
    assert watch.unchanged()


def test_a_wrong_query_is_refused_by_every_list(cast: Cast) -> None:
    lists = [one for one in OPERATIONS if one.query is not None and issubclass(one.query, PageQuery)]
    there = objects(cast, lists)
    for query in (
        "page=0",
        "page=x",
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=1.5",
        "stauts=down",
        "page=99999999999",
    ):
        answers = {
            named(one): cast.owner.get(f"{path_of(one, there[named(one)])}?{query}").status_code for one in lists
        }
        assert set(answers.values()) == {422}, (query, answers)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/monitors?q=%00", 422),
        ("/monitors?tag=a%00", 422),
        ("/audit?action=%00", 422),
        ("/tags/%00", 405),
        ("/monitors?q=%ff%fe", 200),
        ("/monitors?q=%25%27%22%5c", 200),
    ],
)
def test_odd_characters_in_addresses_are_no_fault_of_ours(path: str, status: int, cast: Cast) -> None:
    assert cast.owner.get(path).status_code == status


def test_odd_characters_in_a_tags_address_are_not_found(cast: Cast) -> None:
    assert cast.editor.delete("/tags/%00").status_code == 404
    assert cast.editor.patch("/tags/%00", {"name": "a"}).status_code == 404


def test_times_at_the_end_of_the_calendar_are_refused(cast: Cast) -> None:
    monitor = factories.a_monitor(cast.project)
    assert cast.viewer.get(f"/monitors/{monitor.id}/results?date=9999-12-31").status_code == 422
    assert cast.viewer.get(f"/monitors/{monitor.id}/results?date=0001-01-01").status_code == 200
    far = {"mutedUntil": "9999-12-31T23:59:59-14:00"}
    assert cast.editor.patch(f"/monitors/{monitor.id}", far).status_code == 422


def test_an_unknown_address_is_not_found(cast: Cast) -> None:
    for path in ("/nonsense", "/monitors/", "/monitors/a/b/c", "/"):
        assert cast.owner.get(path).status_code == 404


def test_a_method_that_is_not_there_is_told_with_the_ones_that_are(cast: Cast, watch: Watch) -> None:
    answer = cast.owner.call("PATCH", "/monitors", {"name": "A"})
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}
    assert watch.unchanged()


def test_a_post_without_a_body_needs_no_content_type(cast: Cast) -> None:
    assert cast.editor.post("/alerts/process").status_code == 200


def test_a_sane_correlation_id_is_taken_over_and_another_replaced(cast: Cast) -> None:
    def answered(given: str) -> str:
        return str(cast.viewer.get("/monitors", headers={"X-Correlation-ID": given}).headers["X-Correlation-ID"])

    assert answered("deploy-2031.7:abc") == "deploy-2031.7:abc"
    for insane in ("short", "x" * 65, "with blank in it", 'quo"te-me-now'):
        assert answered(insane) != insane


def test_too_many_requests_of_one_key_have_to_wait(app: Flask, cast: Cast, settings_of: SettingsOf) -> None:
    settings_of(api_rate_limit_per_minute=2)
    answers = [cast.viewer.get("/monitors") for _ in range(6)]  # two windows hold at most four of them
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert cast.editor.get("/monitors").status_code == 200, "another key has a count of its own"


def test_no_limit_where_it_is_turned_off(cast: Cast, settings_of: SettingsOf) -> None:
    settings_of(api_rate_limit_per_minute=0)
    assert {cast.viewer.get("/tags").status_code for _ in range(5)} == {200}


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (OperationalError("SELECT secret", {}, Exception("connection to 10.0.0.1 refused")), 503),
        (redis.ConnectionError("connection to 10.0.0.1 refused"), 503),
        (RuntimeError("the password is hunter2"), 500),
    ],
    ids=["database", "broker", "bug"],
)
def test_our_own_failures_tell_nothing_of_the_inside(
    failure: Exception, status: int, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("web.features.tags.api.pagination.count", fail)
    answer = cast.viewer.get("/tags")
    assert answer.status_code == status
    for inside in ("10.0.0.1", "hunter2", "SELECT", "Traceback"):
        assert inside not in answer.text
    check_error(answer)
    if status == 503:
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (psycopg.errors.QueryCanceled("canceling statement"), "did not finish in time"),
        (psycopg.errors.DeadlockDetected("deadlock"), "Try again"),
        (psycopg.errors.SerializationFailure("could not serialize"), "Try again"),
        (psycopg.errors.LockNotAvailable("lock timeout"), "Try again"),
        (psycopg.errors.TooManyConnections("sorry"), "out of disk space"),
        (psycopg.errors.AdminShutdown("terminating"), "not reachable"),
        (psycopg.OperationalError("connection refused"), "not reachable"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_a_database_that_is_there_is_not_called_unreachable(
    cause: psycopg.Error, sentence: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("SELECT secret", {}, cause)

    monkeypatch.setattr("web.features.tags.api.pagination.count", fail)
    answer = cast.viewer.get("/tags")
    assert answer.status_code == 503
    assert sentence in answer.json["error"]["message"]  # type: ignore[index]


def test_an_error_outside_the_api_is_a_page_for_people(app: Flask) -> None:
    answer = Caller(app).client.get("/nonsense")
    assert answer.status_code == 404
    assert answer.mimetype != "application/json"
    assert answer.headers["X-Correlation-ID"]
