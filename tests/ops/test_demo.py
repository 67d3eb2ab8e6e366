"""`supercheck demo` fills a project of its own, whose pages can all be looked at and whose monitors are never checked."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask

import settings
from models.tables import Project, Role
from ops import demo
from ops.problem import Problem
from tests import factories
from tests.web.pages.visitor import Visitor
from tests.web.serving import an_app
from web.http.extensions import db


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    with an_app() as made:
        yield made


@pytest.fixture
def organization(app: Flask) -> Project:
    for position, code in enumerate(("us-east", "eu-central", "asia-pacific")):
        factories.a_location(code, code.title(), position=position)
    return factories.a_project()


@pytest.fixture
def visitor(app: Flask, organization: Project) -> Callable[[], Visitor]:
    owner = factories.a_user(organization, Role.ORG_OWNER)

    def become() -> Visitor:
        someone = Visitor(app.test_client())
        someone.become(owner)
        return someone

    return become


def test_the_demo_has_monitors_of_each_type_and_state_that_are_never_due(
    visitor: Callable[[], Visitor], connection: psycopg.Connection[Any]
) -> None:
    visitor()
    name, count = demo.create(settings.get())
    rows = connection.execute(
        "SELECT m.type, s.status, s.last_verdict, m.enabled, s.next_run_at FROM monitors m"
        " JOIN monitor_states s ON s.monitor_id = m.id JOIN projects p ON p.id = m.project_id WHERE p.name = %s",
        [name],
    ).fetchall()
    assert len(rows) == count
    assert {row[0] for row in rows} == {"http_request", "website", "ping_host", "port_check", "heartbeat"}
    assert {"up", "down"} == {row[1] for row in rows}
    assert any(row[2] == "error" for row in rows)
    assert any(not row[3] for row in rows)
    assert all(row[4] is None for row in rows)


def test_its_pages_can_be_looked_at(visitor: Callable[[], Visitor], connection: psycopg.Connection[Any]) -> None:
    someone = visitor()
    demo.create(settings.get())
    project = db.session.query(Project).filter_by(name=demo.PROJECT).one()
    someone.post("/settings/project", project=str(project.id))
    for path in ("/", "/monitors", "/alerts", "/incidents", "/notification-providers"):
        assert "Payments API" in someone.get(path) or "#on-call" in someone.get(path)
    for (monitor_id,) in connection.execute("SELECT id FROM monitors WHERE project_id = %s", [project.id]).fetchall():
        for period in ("", "?period=24h", "?period=90d"):
            someone.get(f"/monitors/{monitor_id}{period}")


def test_it_is_created_once(visitor: Callable[[], Visitor]) -> None:
    visitor()
    demo.create(settings.get())
    with pytest.raises(Problem, match="exists already"):
        demo.create(settings.get())


@pytest.mark.usefixtures("app")
def test_without_an_account_it_says_what_to_do() -> None:
    with pytest.raises(Problem, match="supercheck migrate"):
        demo.create(settings.get())
