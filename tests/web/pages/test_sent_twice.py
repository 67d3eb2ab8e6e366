"""A form that makes something, sent again: by a second click, by two at once, or with other contents."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.web.pages.visitor import Visitor

FORMS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "monitors": ("/monitors/new?type=ping_host", "monitors", {"name": "Router", "target": "127.0.0.1"}),
    "providers": (
        "/notification-providers/new?type=slack",
        "notification_providers",
        {"name": "On call", "config.webhookUrl": "http://127.0.0.1:9/hook"},
    ),
    "windows": ("/maintenance/new", "maintenance_windows", {"name": "Release", "scope": "project"}),
    "projects": ("/settings/projects", "projects", {"name": "Another"}),
}


def count(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("form", FORMS)
def test_a_form_sent_many_times_at_once_makes_one(
    visitor: Callable[..., Visitor], connection: psycopg.Connection[Any], form: str
) -> None:
    path, table, typed = FORMS[form]
    someone = visitor("org_owner")
    before = count(connection, table)
    values = someone.form(path)
    for name, value in typed.items():
        values[name] = value
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: someone.open(path, "POST", values), range(4)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    assert count(connection, table) == before + 1


@pytest.mark.parametrize("form", FORMS)
def test_other_contents_and_another_form_make_another(
    visitor: Callable[..., Visitor], connection: psycopg.Connection[Any], form: str
) -> None:
    path, table, typed = FORMS[form]
    someone = visitor("org_owner")
    before = count(connection, table)
    values = someone.form(path)
    for name, value in typed.items():
        values[name] = value
    assert someone.open(path, "POST", values).status_code == 303
    values["name"] = "Back in the browser, changed and sent again"
    assert someone.open(path, "POST", values).status_code == 303
    assert someone.submit(path, **typed).status_code == 303
    assert count(connection, table) == before + 3


def test_a_form_that_was_refused_is_not_taken_for_one_that_was_saved(
    visitor: Callable[..., Visitor], connection: psycopg.Connection[Any]
) -> None:
    path, table, typed = FORMS["monitors"]
    someone = visitor()
    values = someone.form(path)
    for name, value in {**typed, "target": "not a host"}.items():
        values[name] = value
    assert someone.open(path, "POST", values).status_code == 422
    values["target"] = "127.0.0.1"
    assert someone.open(path, "POST", values).status_code == 303
    assert count(connection, table) == 1


def test_a_form_without_a_token_is_saved(visitor: Callable[..., Visitor], connection: psycopg.Connection[Any]) -> None:
    path, table, typed = FORMS["monitors"]
    someone = visitor()
    assert someone.submit(path, **typed, formToken="").status_code == 303
    assert someone.submit(path, **typed, formToken="x" * 200).status_code == 303
    assert count(connection, table) == 2
