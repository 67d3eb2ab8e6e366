"""The account, API keys and members."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from models.tables import Project, Role
from tests import factories
from tests.web.pages.visitor import Visitor

NEW = "another long password"


def test_a_new_password_signs_the_other_browsers_out(app: Flask, project: Project) -> None:
    user = factories.a_user(project)
    here, there = Visitor(app.test_client()), Visitor(app.test_client())
    here.become(user)
    there.become(user)
    answer = here.submit("/settings/account", old=factories.PASSWORD, new=NEW, again=NEW)
    assert answer.status_code == 303
    here.get("/settings/account")
    assert there.open("/").status_code == 302
    assert Visitor(app.test_client()).sign_in(user.email, NEW).status_code == 303


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"old": "not it", "new": NEW, "again": NEW}, "current password is wrong"),
        ({"old": factories.PASSWORD, "new": "short", "again": "short"}, "at least 10 characters"),
        ({"old": factories.PASSWORD, "new": "a" * 300, "again": "a" * 300}, "at most 256 characters"),
        ({"old": factories.PASSWORD, "new": "ab" * 8, "again": "ab" * 8}, "at least 5 different characters"),
        ({"old": factories.PASSWORD, "new": NEW, "again": NEW + "!"}, "do not match"),
    ],
)
def test_a_wrong_password_change_changes_nothing(
    app: Flask, project: Project, connection: Any, typed: dict[str, str], message: str
) -> None:
    user = factories.a_user(project)
    someone = Visitor(app.test_client())
    someone.become(user)
    answer = someone.submit("/settings/account", **typed)
    assert answer.status_code == 422
    assert message in answer.text
    assert NEW not in answer.text
    assert connection.execute("SELECT password_hash FROM users").fetchone() == (user.password_hash,)


def test_guessing_at_an_unlocked_browser_has_to_wait(app: Flask, project: Project, connection: Any) -> None:
    someone = Visitor(app.test_client())
    user = factories.a_user(project)
    someone.become(user)
    for _ in range(4):
        someone.submit("/settings/account", old="not it", new=NEW, again=NEW)
    pair = f"signin:pair:127.0.0.1:{user.email}:wait"
    app.extensions["redis"].set(pair, 1, ex=60)  # long enough for a slow machine
    answer = someone.submit("/settings/account", old=factories.PASSWORD, new=NEW, again=NEW)
    assert answer.status_code == 429
    assert "Try again in" in answer.text
    assert connection.execute("SELECT password_hash FROM users").fetchone() == (user.password_hash,)


def test_a_new_key_is_shown_once_and_works(app: Flask, visitor: Callable[..., Visitor]) -> None:
    someone = visitor("project_admin")
    page = someone.submit("/settings/api-keys", name="Pipeline", role="project_viewer").text
    key = re.search(r"sck_[A-Za-z0-9_-]{40,}", html.unescape(page))
    assert key
    headers = {"Authorization": f"Bearer {key[0]}"}
    assert app.test_client().get("/api/monitors", headers=headers).status_code == 200
    later = someone.get("/settings/api-keys")
    assert "Pipeline" in later
    assert key[0] not in later


def test_a_revoked_key_is_gone(visitor: Callable[..., Visitor], connection: Any) -> None:
    someone = visitor("project_admin")
    someone.submit("/settings/api-keys", name="Pipeline", role="project_viewer")
    (key_id,) = connection.execute("SELECT id FROM api_keys").fetchone()
    someone.post(f"/settings/api-keys/{key_id}/revoke")
    assert "Key revoked." in someone.get("/settings/api-keys")
    assert connection.execute("SELECT revoked_at IS NOT NULL FROM api_keys").fetchone() == (True,)


def test_members_are_added_and_removed(app: Flask, visitor: Callable[..., Visitor], connection: Any) -> None:
    someone = visitor("org_owner")
    typed = {"email": "new@example.test", "role": "project_viewer", "password": NEW}
    assert someone.submit("/settings/members", **typed).status_code == 303
    assert Visitor(app.test_client()).sign_in("new@example.test", NEW).status_code == 303
    found = connection.execute("SELECT id FROM members WHERE role = 'project_viewer'").fetchone()
    someone.post(f"/settings/members/{found[0]}/remove")
    assert connection.execute("SELECT count(*) FROM members WHERE role = 'project_viewer'").fetchone() == (0,)


def test_a_role_above_the_callers_own_cannot_be_granted(visitor: Callable[..., Visitor], connection: Any) -> None:
    typed = {"email": "new@example.test", "role": "org_owner", "password": NEW}
    answer = visitor("project_admin").submit("/settings/members", **typed)
    assert answer.status_code == 422
    assert NEW not in answer.text
    assert connection.execute("SELECT count(*) FROM members").fetchone() == (1,)


def test_people_with_several_projects_choose_which_one_is_shown(app: Flask, project: Project) -> None:
    other = factories.a_project(project.organization, name="Staging")
    factories.a_monitor(other, name="Staging shop")
    someone = Visitor(app.test_client())
    someone.become(factories.a_user(project, Role.ORG_OWNER))
    assert "Staging shop" not in someone.get("/monitors")
    someone.post("/settings/project", project=str(other.id))
    assert "Staging shop" in someone.get("/monitors")
    foreign = factories.a_project(name="Elsewhere")
    assert someone.post("/settings/project", project=str(foreign.id)).status_code == 404


def test_projects_are_made_renamed_and_shown(visitor: Callable[..., Visitor], project: Project) -> None:
    someone = visitor("org_owner")
    assert someone.post("/settings/projects", "/settings/projects", name="Staging").status_code == 303
    page = someone.get("/settings/projects")
    assert "Staging was created." in page
    (made,) = re.findall(r'<input type="hidden" name="project" value="([0-9a-f-]{36})"', page)
    someone.post(f"/settings/projects/{made}/rename", "/settings/projects", name="Rehearsal")
    someone.post("/settings/project", "/settings/projects", project=made)
    page = someone.get("/settings/projects")
    assert "Rehearsal" in page
    assert page.index('Rehearsal</bdi></span> <span class="tag">current') > 0
    assert someone.post("/settings/projects", "/settings/projects", name=" ").status_code == 422
    foreign = factories.a_project(name="Elsewhere")
    assert someone.post(f"/settings/projects/{foreign.id}/rename", name="Mine").status_code == 404
    assert "Elsewhere" not in page


@pytest.mark.parametrize("role", ["project_admin", "project_viewer"])
def test_only_the_organisations_administrators_make_projects(
    visitor: Callable[..., Visitor], project: Project, connection: Any, role: str
) -> None:
    someone = visitor(role)
    page = someone.get("/settings/projects")
    assert "Production" in page
    assert "New project" not in page
    assert "Rename" not in page
    for path in ("/settings/projects", f"/settings/projects/{project.id}/rename"):
        assert someone.post(path, name="Mine").status_code == 403
    assert connection.execute("SELECT name FROM projects").fetchall() == [("Production",)]


def test_the_trail_tells_who_did_what_to_administrators_only(visitor: Callable[..., Visitor], project: Project) -> None:
    someone = visitor("org_owner")
    someone.post("/settings/projects", "/settings/projects", name="<b>Staging</b>")
    someone.submit("/settings/api-keys", name="Pipeline", role="project_viewer")
    page, whole = someone.get("/settings/audit"), someone.get("/settings/audit?scope=organization")
    assert "api_key.created" in page
    assert "project.created" not in page
    assert "project.created" in whole
    assert "&lt;b&gt;Staging&lt;/b&gt;" in whole
    assert "@example.test" in page
    assert "api_key.created" not in someone.get("/settings/audit?action=project.created")
    assert "No event matches" in someone.get("/settings/audit?action=nonsense")
    assert visitor("project_editor").open("/settings/audit").status_code == 403
