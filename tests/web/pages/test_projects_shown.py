"""Which project is shown, on every page, and links into another one."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask

from models.tables import Monitor, Project, Role
from tests import factories
from tests.web.pages.visitor import Visitor, form_of
from web.http.extensions import db

PAGES = ("/", "/monitors", "/alerts", "/incidents", "/schedules", "/settings/account")


@pytest.fixture
def other(project: Project) -> Project:
    return factories.a_project(project.organization, name="Staging")


@pytest.fixture
def someone(app: Flask, project: Project, other: Project) -> Visitor:
    """A member of both projects."""
    user = factories.a_user(project, Role.PROJECT_EDITOR, email="both@example.test")
    factories.a_membership(user, other, Role.PROJECT_VIEWER)
    made = Visitor(app.test_client())
    made.become(user)
    return made


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_person_and_project_in_the_side_bar_and_in_the_sheet(
    visitor: Callable[..., Visitor], path: str
) -> None:
    page = visitor().get(path)
    sheet = page[page.index('class="sheet"') :]
    side = page[page.index('class="side"') : page.index('id="main"')]
    for part in (side, sheet):
        assert "Production" in part
        assert "Alex" in part
        assert 'action="/settings/project"' not in part


@pytest.mark.parametrize("path", PAGES)
def test_a_person_of_several_projects_switches_on_every_page(someone: Visitor, other: Project, path: str) -> None:
    page = someone.get(path)
    assert page.count('action="/settings/project"') >= 2
    token = form_of(page, "/settings/project")["csrf_token"]
    answer = someone.open("/settings/project", "POST", {"csrf_token": token, "project": str(other.id)})
    page = someone.get(answer.location)
    assert "Switched to Staging." in page
    assert 'aria-current="true"><span class="clip"><bdi>Staging' in page


@pytest.fixture
def elsewhere(other: Project) -> Monitor:
    return factories.a_monitor(other, name="Over there")


def test_a_link_to_a_monitor_of_another_own_project_offers_to_switch(someone: Visitor, elsewhere: Monitor) -> None:
    incident = factories.an_incident(elsewhere)
    for path in (
        f"/monitors/{elsewhere.id}?period=7d",
        f"/incidents/{incident.id}",
        f"/alerts?monitorId={elsewhere.id}",
    ):
        page = someone.get(path, 404)
        assert "in another of your projects: Staging" in page
        assert "Over there" not in page
        values = form_of(page, "/settings/project")
        answer = someone.open("/settings/project", "POST", values)
        assert answer.location == path
        assert "Over there" in someone.get(path)
        someone.post("/settings/project", project=str(db.session.query(Project).filter_by(name="Production").one().id))


def test_what_is_in_no_project_of_mine_is_not_there(visitor: Callable[..., Visitor], elsewhere: Monitor) -> None:
    incident = factories.an_incident(elsewhere)
    mine = visitor()
    for path in (f"/monitors/{elsewhere.id}", f"/monitors/{uuid4()}", f"/incidents/{incident.id}"):
        page = mine.get(path, 404)
        assert "Staging" not in page
        assert "/settings/project" not in page


def test_switching_leads_to_no_foreign_site(someone: Visitor, other: Project) -> None:
    answer = someone.post("/settings/project", project=str(other.id), next="//evil.example/")
    assert answer.location == "/"
