"""Requests at the same moment for what only one can have: one gets it, the others get an error."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from tests.web.api.cast import Caller, Cast

AT_ONCE = 8


def twins(app: Flask, one: Caller, count: int) -> list[Caller]:
    return [Caller(app, one.headers) for _ in range(count)]


def test_one_new_member_is_added_once(app: Flask, cast: Cast, connection: psycopg.Connection[Any]) -> None:
    body = {"email": "new@example.test", "role": "project_viewer", "password": "a long first password", "name": "New"}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda one: one.post("/members", body), twins(app, cast.admin, AT_ONCE)))
    counted = Counter(answer.status_code for answer in answers)
    assert counted[201] == 1
    # 422 for those that came after the account was there: it has a password already.
    assert counted[409] + counted[422] == AT_ONCE - 1, counted
    found = connection.execute("SELECT count(*) FROM users WHERE email = 'new@example.test'").fetchone()
    assert found == (1,)


@pytest.mark.parametrize(("state", "status"), [("23505", 409), ("23503", 409), ("23514", 500)])
def test_what_a_constraint_refuses_is_a_conflict_unless_it_is_our_fault(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch, state: str, status: int
) -> None:
    class Refused(Exception):
        sqlstate = state

    def refuse(*_: object) -> None:
        raise IntegrityError("INSERT", {}, Refused())

    monkeypatch.setattr("web.features.projects.service.create", refuse)
    answer = cast.owner.post("/projects", {"name": "Another"})
    assert answer.status_code == status, answer.text


def test_a_provider_that_is_deleted_while_a_monitor_names_it_is_a_conflict(
    app: Flask, cast: Cast, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The check that the provider is there passes, as it does when the deletion is committed right after it.
    monkeypatch.setattr("web.features.monitors.validation._validate_references", lambda *_: None)
    alerts = {"notificationProviders": [str(uuid4())]}
    body = {"name": "A", "type": "ping_host", "target": "127.0.0.1", "alertConfig": alerts}
    answer = cast.editor.post("/monitors", body)
    assert answer.status_code == 409, answer.text
    assert connection.execute("SELECT count(*) FROM monitors").fetchone() == (0,)


@pytest.mark.parametrize("url", ["http://[::1", "http://user:secret-word@[x/", "https://[v1.x]:99999/", "http://a]b/"])
def test_a_webhook_url_that_cannot_be_read_is_refused_and_not_logged(
    cast: Cast, url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    body = {"name": "Hook", "type": "webhook", "config": {"url": url}}
    answer = cast.editor.post("/notification-providers", body)
    assert answer.status_code == 422, answer.text
    assert "config.url" in answer.json["error"]["fields"]  # type: ignore[index]
    written = capfd.readouterr()
    assert "secret-word" not in answer.text + written.out + written.err
