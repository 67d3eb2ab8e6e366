"""Accounts of members: first passwords chosen by others, disabling, sessions, and the keys that people leave behind."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.tables import ApiKey, Project, Role, User
from tests import factories
from tests.web.api.cast import Caller, Cast, Watch, signed_in
from tests.web.pages.visitor import Visitor
from web.http.extensions import db

GIVEN, OWN, NEXT = "given by another", "chosen by its owner", "another given one"


def member_of(cast: Cast, user: User) -> str:
    found = cast.owner.get("/members?limit=100").json["data"]  # type: ignore[index]
    return next(str(one["id"]) for one in found if one["email"] == user.email)


def grant(who: Caller, email: str, role: str, password: str | None = None) -> Any:
    body = {"email": email, "role": role} | ({"password": password} if password else {})
    return who.post("/members", body)


def administrator(app: Flask, project: Project) -> tuple[User, Caller]:
    user = factories.a_user(project, Role.PROJECT_ADMIN)
    return user, signed_in(app, user)


def opens(app: Flask, email: str, password: str) -> Visitor:
    visitor = Visitor(app.test_client())
    assert visitor.sign_in(email, password).status_code == 303
    return visitor


def test_a_first_password_must_be_changed_by_its_owner(app: Flask, cast: Cast) -> None:
    assert grant(cast.admin, "new@example.test", "project_viewer", GIVEN).status_code == 201
    someone = opens(app, "new@example.test", GIVEN)
    for path in ("/", "/monitors", "/settings/account", "/nothing/here"):
        answer = someone.open(path)
        assert answer.status_code == 404 or answer.location == "/first-password", path
    assert someone.open("/api/monitors").status_code == 403
    assert someone.submit("/first-password", new=GIVEN, again=GIVEN).status_code == 422, "not the same again"
    assert someone.submit("/first-password", new=OWN, again="not the same").status_code == 422
    assert someone.submit("/first-password", new=OWN, again=OWN).location == "/"
    assert someone.open("/").status_code == 200
    assert someone.open("/first-password").location == "/"
    assert Visitor(app.test_client()).sign_in("new@example.test", GIVEN).status_code == 401


def test_an_account_prepared_by_a_project_admin_does_not_become_owner_with_his_password(app: Flask, cast: Cast) -> None:
    _, mallory = administrator(app, cast.project)
    grant(mallory, "ceo@example.test", "project_viewer", GIVEN)
    # The one who prepared it also signs in with it, and chooses "its own" password.
    thief = opens(app, "ceo@example.test", GIVEN)
    thief.submit("/first-password", new=OWN, again=OWN)
    refused = grant(cast.owner, "ceo@example.test", "org_owner")
    assert refused.status_code == 422
    assert "may know it" in refused.text
    assert grant(cast.owner, "ceo@example.test", "org_owner", NEXT).status_code == 201
    assert thief.open("/").status_code == 302, "sessions end"
    assert Visitor(app.test_client()).sign_in("ceo@example.test", OWN).status_code == 401
    assert opens(app, "ceo@example.test", NEXT).open("/").location == "/first-password"


def test_raising_a_role_is_granting_one(app: Flask, cast: Cast) -> None:
    mallory, session = administrator(app, cast.project)
    made = grant(session, "ceo@example.test", "project_viewer", GIVEN).json
    factories.no_membership(mallory)
    path = f"/members/{made['id']}"
    refused = cast.owner.patch(path, {"role": "project_admin"})
    assert refused.status_code == 409
    assert "Remove the person and add them again" in refused.text
    assert cast.owner.delete(path).status_code == 204
    assert grant(cast.owner, "ceo@example.test", "project_admin", NEXT).status_code == 201


def test_who_prepared_an_account_may_go_on_giving_it_roles(app: Flask, cast: Cast) -> None:
    _, admin = administrator(app, cast.project)
    made = grant(admin, "new@example.test", "project_viewer", GIVEN).json
    assert admin.patch(f"/members/{made['id']}", {"role": "project_admin"}).status_code == 200
    # Another user may, too, where the one who prepared it could do the same.
    assert cast.owner.patch(f"/members/{made['id']}", {"role": "project_editor"}).status_code == 200


def test_nobody_resets_the_password_of_an_account_with_roles_beyond_theirs(
    app: Flask, cast: Cast, watch: Watch
) -> None:
    _, mallory = administrator(app, cast.other_project)
    user = factories.a_user(cast.project, Role.ORG_ADMIN, prepared_by=cast.user.id)
    answer = grant(mallory, user.email, "project_viewer", NEXT)
    assert answer.status_code == 409
    assert "roles that you do not cover" in answer.text
    db.session.refresh(user)
    assert not user.must_change_password


def test_an_account_that_an_operator_made_is_its_owners(app: Flask, cast: Cast) -> None:
    user = factories.a_user(cast.other_project, Role.PROJECT_VIEWER)
    assert grant(cast.owner, user.email, "org_owner").status_code == 201


def test_a_disabled_account_is_out_at_once_and_stays_out(app: Flask, cast: Cast) -> None:
    path = f"/members/{member_of(cast, cast.user)}"
    assert cast.owner.patch(path, {"enabled": False}).json["enabled"] is False  # type: ignore[index]
    assert cast.person.get("/monitors").status_code == 401
    assert Visitor(app.test_client()).sign_in(cast.user.email).status_code == 401
    assert cast.owner.patch(path, {"enabled": True}).status_code == 200
    assert cast.person.get("/monitors").status_code == 401, "the old session has ended"
    assert Visitor(app.test_client()).sign_in(cast.user.email).status_code == 303


def test_an_administrator_ends_a_members_sessions(app: Flask, cast: Cast) -> None:
    other = signed_in(app, cast.user)
    assert cast.owner.delete(f"/members/{member_of(cast, cast.user)}/sessions").status_code == 204
    assert [one.get("/monitors").status_code for one in (cast.person, other)] == [401, 401]


def test_only_who_covers_all_roles_of_an_account_may_touch_it(app: Flask, cast: Cast) -> None:
    # The editor of this project has a role in another one as well.
    factories.a_membership(cast.user, factories.a_project(cast.project.organization), Role.PROJECT_VIEWER)
    path = f"/members/{member_of(cast, cast.user)}"
    _, admin = administrator(app, cast.project)
    assert admin.patch(path, {"enabled": False}).status_code == 403
    assert admin.delete(f"{path}/sessions").status_code == 403
    assert cast.owner.patch(path, {"enabled": False}).status_code == 200


def test_nobody_disables_themselves_or_the_last_owner(app: Flask, cast: Cast) -> None:
    owners = [one for one in cast.owner.get("/members").json["data"] if one["role"] == "org_owner"]  # type: ignore[index]
    path = f"/members/{owners[0]['id']}"
    assert cast.owner.patch(path, {"enabled": False}).status_code == 409
    second = factories.a_user(cast.project, Role.ORG_OWNER)
    assert cast.owner.patch(path, {"enabled": False}).status_code == 409, "oneself"
    assert signed_in(app, second).patch(path, {"enabled": False}).status_code == 200
    # A disabled owner does not count as one.
    own = f"/members/{member_of_by(app, second, second.email)}"
    assert signed_in(app, second).delete(own).status_code == 409


def member_of_by(app: Flask, user: User, email: str) -> str:
    found = signed_in(app, user).get("/members?limit=100").json["data"]  # type: ignore[index]
    return next(str(one["id"]) for one in found if one["email"] == email)


def test_people_list_and_end_their_own_sessions_only(app: Flask, cast: Cast) -> None:
    other = signed_in(app, cast.user)
    found = cast.person.get("/sessions").json["data"]  # type: ignore[index]
    assert [one["current"] for one in found].count(True) == 1
    foreign = cast.owner.get("/sessions").json["data"][0]["id"]  # type: ignore[index]
    assert cast.person.delete(f"/sessions/{foreign}").status_code == 404
    theirs = next(one["id"] for one in found if not one["current"])
    assert cast.person.delete(f"/sessions/{theirs}").status_code == 204
    assert other.get("/monitors").status_code == 401
    assert cast.viewer.get("/sessions").json["data"] == []  # type: ignore[index]


# --- keys ------------------------------------------------------------------------------------


def a_key_of(app: Flask, cast: Cast, role: str = "project_admin") -> tuple[User, Caller]:
    maker, session = administrator(app, cast.project)
    made = session.post("/api-keys", {"name": "Pipeline", "role": role}).json
    assert made is not None
    return maker, Caller(app, {"Authorization": f"Bearer {made['key']}"})


@pytest.mark.parametrize(
    ("role", "may_list_members", "may_edit"),
    [("project_admin", 200, 201), ("project_editor", 403, 201), ("project_viewer", 403, 403)],
)
def test_a_key_never_exceeds_its_living_makers_role(
    app: Flask, cast: Cast, role: str, may_list_members: int, may_edit: int
) -> None:
    maker, program = a_key_of(app, cast)
    assert cast.owner.patch(f"/members/{member_of(cast, maker)}", {"role": role}).status_code == 200
    assert program.get("/members").status_code == may_list_members
    assert program.post("/monitors", {"name": "A", "type": "heartbeat"}).status_code == may_edit


def test_a_key_made_by_a_key_is_bounded_by_the_same_person(app: Flask, cast: Cast) -> None:
    maker, program = a_key_of(app, cast)
    made = program.post("/api-keys", {"name": "Second", "role": "project_admin"}).json
    assert made is not None
    assert made["createdBy"] == maker.email
    second = Caller(app, {"Authorization": f"Bearer {made['key']}"})
    cast.owner.patch(f"/members/{member_of(cast, maker)}", {"role": "project_viewer"})
    assert second.get("/members").status_code == 403


@pytest.mark.parametrize("revoke", [False, True])
def test_keys_of_a_removed_member_are_shown_and_revoked_on_demand(app: Flask, cast: Cast, revoke: bool) -> None:
    maker, program = a_key_of(app, cast, "project_viewer")
    query = "?revokeKeys=true" if revoke else ""
    assert cast.owner.delete(f"/members/{member_of(cast, maker)}{query}").status_code == 204
    assert program.get("/monitors").status_code == (401 if revoke else 200)
    listed = [one for one in cast.owner.get("/api-keys").json["data"] if one["name"] == "Pipeline"]  # type: ignore[index]
    assert [(one["createdBy"], one["creatorIsMember"]) for one in listed] == ([] if revoke else [(maker.email, False)])
    row = db.session.scalar(select(ApiKey).where(ApiKey.name == "Pipeline"))
    assert row is not None
    assert (row.revoked_at is not None) is revoke


# --- the trail -------------------------------------------------------------------------------


def test_removing_a_member_gives_no_key_back_what_its_maker_had_lost(app: Flask, cast: Cast) -> None:
    maker, program = a_key_of(app, cast)
    cast.owner.patch(f"/members/{member_of(cast, maker)}", {"role": "project_viewer"})
    assert cast.owner.delete(f"/members/{member_of(cast, maker)}").status_code == 204
    assert program.get("/monitors").status_code == 200
    assert program.get("/members").status_code == 403
    assert program.post("/tags", {"name": "theirs"}).status_code == 403


def actions(who: Caller, query: str = "") -> list[str]:
    return [one["action"] for one in who.get(f"/audit?limit=100{query}").json["data"]]  # type: ignore[index]


def test_the_deletion_of_a_project_stays_in_the_organisations_trail(app: Flask, cast: Cast) -> None:
    made = cast.owner.post("/projects", {"name": "Shop"}).json
    assert made is not None
    inside = {"X-Project-Id": made["id"]}
    cast.owner.post("/monitors", {"name": "A", "type": "heartbeat"}, headers=inside)
    cast.owner.delete(f"/projects/{made['id']}", headers=inside)
    found = actions(cast.owner, "&scope=organization")
    assert found[0] == "project.deleted"
    assert "monitor.created" in found, "what is left of the deleted project"
    assert "project.created" in found
    assert cast.admin.get("/audit?scope=organization").status_code == 403
    assert "project.deleted" not in actions(cast.admin)


def test_sign_ins_are_in_the_organisations_trail(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app.test_client())
    visitor.sign_in(cast.user.email, "wrong wrong")
    visitor.sign_in(cast.user.email)
    visitor.post("/logout")
    assert actions(cast.owner, "&scope=organization") == ["session.ended", "session.started", "session.refused"]
    assert actions(cast.admin) == []


def test_a_change_names_what_it_changed_and_no_secret(cast: Cast) -> None:
    body = {
        "name": "Shop",
        "type": "http_request",
        "target": "http://127.0.0.1:9/",
        "config": {"method": "GET", "auth": {"type": "bearer", "token": "old-token-0123456789"}},
    }
    made = cast.editor.post("/monitors", body).json
    assert made is not None
    change = {
        "name": "Store",
        "config": {"method": "HEAD", "auth": {"type": "bearer", "token": "new-token-9876543210"}, "timeoutSeconds": 30},
    }
    cast.editor.patch(f"/monitors/{made['id']}", change)
    [event] = [one for one in cast.admin.get("/audit").json["data"] if one["action"] == "monitor.changed"]  # type: ignore[index]
    changes = event["details"]["changes"]
    assert changes["name"] == {"from": "Shop", "to": "Store"}
    assert changes["config.method"] == {"from": "GET", "to": "HEAD"}
    assert not [path for path in changes if "auth.token" in path or path.startswith("alertConfig")]
    assert event["details"]["secrets"] == ["auth.token"]
