"""Members and API keys on their pages: roles in the row, and one question before anything is taken away."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.tables import ApiKey, Member, Project, Role, User
from tests import factories
from tests.web.pages.visitor import Visitor, form_of
from web.http.extensions import db

GIVEN = "given by another"


def owner(app: Flask, project: Project) -> Visitor:
    made = Visitor(app.test_client())
    made.become(factories.a_user(project, Role.ORG_OWNER))
    return made


def member_id(user: User) -> Any:
    return db.session.scalar(select(Member.id).where(Member.user_id == user.id))


def test_the_preset_role_is_the_least(app: Flask, project: Project) -> None:
    assert owner(app, project).form("/settings/members")["role"] == "project_viewer"


def test_a_role_is_changed_in_its_row(app: Flask, project: Project, connection: Any) -> None:
    user = factories.a_user(project, Role.PROJECT_VIEWER)
    boss, path = owner(app, project), f"/settings/members/{member_id(user)}/role"
    form = form_of(boss.get("/settings/members"), path)
    assert form["role"] == "project_viewer"
    assert boss.open(path, "POST", {**form.to_dict(), "role": "project_editor"}).status_code == 303
    assert "Role changed to Editor." in boss.get("/settings/members")
    assert connection.execute("SELECT role FROM members WHERE user_id = %s", [user.id]).fetchone() == (
        "project_editor",
    )
    assert boss.open(path, "POST", {**form.to_dict(), "role": "king"}).status_code == 422


def test_one_cannot_raise_others_above_oneself(visitor: Callable[..., Visitor], project: Project) -> None:
    admin = visitor("project_admin")
    boss = factories.a_user(project, Role.ORG_OWNER)
    page = admin.get("/settings/members")
    assert f"/settings/members/{member_id(boss)}/" not in page
    answer = admin.post(f"/settings/members/{member_id(boss)}/role", role="project_viewer")
    assert answer.status_code == 303
    assert "higher than your own" in admin.get("/settings/members")


def test_removing_a_person_asks_once_and_names_their_keys(app: Flask, project: Project, connection: Any) -> None:
    user = factories.a_user(project, Role.PROJECT_ADMIN)
    factories.an_api_key(project, created_by=user.id)
    boss, path = owner(app, project), f"/settings/members/{member_id(user)}/remove"
    assert f'href="{path}"' in boss.get("/settings/members")
    page = boss.get(path)
    assert f"Remove {user.email}?" in page
    assert "A program" in page
    assert connection.execute("SELECT count(*) FROM members").fetchone() == (2,), "asking removes nothing"
    boss.open(path, "POST", form_of(page))
    assert "creator is no longer an active member" in boss.get("/settings/api-keys")
    again = factories.a_membership(user, project, Role.PROJECT_ADMIN)
    assert "creator is no longer an active member" not in boss.get("/settings/api-keys")
    path = f"/settings/members/{again.id}/remove"
    boss.open(path, "POST", {**form_of(boss.get(path)).to_dict(), "revokeKeys": "on"})
    assert connection.execute("SELECT revoked_at IS NOT NULL FROM api_keys").fetchone() == (True,)


def test_revoking_a_key_asks_once(app: Flask, project: Project, connection: Any) -> None:
    factories.an_api_key(project)
    boss = owner(app, project)
    path = f"/settings/api-keys/{db.session.scalar(select(ApiKey.id))}/revoke"
    page = boss.get(path)
    assert "Revoke A program?" in page
    assert "Never used." in page
    assert connection.execute("SELECT revoked_at IS NULL FROM api_keys").fetchone() == (True,)
    boss.open(path, "POST", form_of(page))
    assert connection.execute("SELECT revoked_at IS NULL FROM api_keys").fetchone() == (False,)


def test_deleting_a_window_and_removing_a_location_ask_once(app: Flask, project: Project, connection: Any) -> None:
    window = factories.a_window(project, name="Night work")
    boss = owner(app, project)
    for path, table in (
        (f"/maintenance/{window.id}/delete", "maintenance_windows"),
        ("/locations/eu-central/remove", "locations"),
    ):
        before = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        page = boss.get(path)
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (before,)
        boss.open(path, "POST", form_of(page))
        assert path in boss.get(path.rsplit("/", 2)[0]) or table == "maintenance_windows"
    assert connection.execute("SELECT count(*) FROM maintenance_windows").fetchone() == (0,)


def test_accounts_are_disabled_and_signed_out_in_the_list(app: Flask, project: Project) -> None:
    user = factories.a_user(project)
    theirs = Visitor(app.test_client())
    theirs.become(user)
    boss, path = owner(app, project), f"/settings/members/{member_id(user)}"
    assert boss.get("/settings/members").count("signed in with 1 browser") == 2
    boss.post(f"{path}/end-sessions", "/settings/members")
    assert theirs.open("/").status_code == 302
    theirs.become(user)
    switching = form_of(boss.get("/settings/members"), f"{path}/switch")
    boss.open(f"{path}/switch", "POST", switching)
    assert theirs.open("/").status_code == 302
    page = boss.get("/settings/members")
    assert "disabled" in page
    boss.open(f"{path}/switch", "POST", form_of(page, f"{path}/switch"))
    theirs.become(user)
    assert theirs.open("/").status_code == 200


def test_a_new_person_must_choose_a_password(app: Flask, project: Project) -> None:
    boss = owner(app, project)
    assert boss.submit("/settings/members", email="new@example.test", password=GIVEN).status_code == 303
    assert "must change the password" in boss.get("/settings/members")
    someone = Visitor(app.test_client())
    someone.sign_in("new@example.test", GIVEN)
    assert "Choose a new one that only you know" in someone.get("/first-password")
    assert someone.open("/settings/members").location == "/first-password"


# --- the trail -------------------------------------------------------------------------------


@pytest.fixture
def trail(visitor: Callable[..., Visitor], project: Project, connection: Any) -> Visitor:
    connection.execute(
        "INSERT INTO audit_events (id, organization_id, project_id, action, object_type, details) VALUES"
        """ (gen_random_uuid(), %s, %s, 'credential.used', 'monitor', '{"process": "check_worker", "purpose": "check"}')""",
        [project.organization_id, project.id],
    )
    someone = visitor("project_admin")
    someone.submit("/settings/api-keys", name="Pipeline", role="project_viewer")
    return someone


def test_what_processes_do_is_hidden_unless_wanted(trail: Visitor) -> None:
    page = trail.get("/settings/audit")
    assert "credential.used" not in page
    assert "api_key.created" in page
    page = trail.get("/settings/audit?machines=1")
    assert "credential.used" in page
    assert "check worker" in page
    assert "deleted user" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("actor=example.test", True),
        ("actor=nobody", False),
        ("text=Pipeline", True),
        ("text=%25", False),
        ("since=2020-01-01", True),
        ("since=9000-01-01", False),
        ("until=2020-01-01", False),
        ("until=9998-12-31", True),
        ("since=nonsense&until=0001-01-01", True),
    ],
)
def test_the_trail_is_filtered_by_person_text_and_day(trail: Visitor, query: str, found: bool) -> None:
    assert ("api_key.created" in trail.get(f"/settings/audit?{query}")) is found


def test_only_the_organisations_administrators_see_its_trail(trail: Visitor) -> None:
    assert ">Organisation</option>" not in trail.get("/settings/audit")
    assert trail.open("/settings/audit?scope=organization").status_code == 403


def test_a_change_is_shown_from_what_to_what(app: Flask, project: Project) -> None:
    boss = owner(app, project)
    monitor = factories.a_monitor(project, name="Shop", target="https://127.0.0.1/")
    assert boss.submit(f"/monitors/{monitor.id}/edit", name="Store").status_code == 303
    page = boss.get("/settings/audit")
    assert '<span class="quiet">name</span> <span class="from">Shop</span> → Store' in page
    assert "alertConfig" not in page
