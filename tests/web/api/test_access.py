"""Who may call what: every route of the API against everybody of the cast."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import delete

from models.tables import Project, Role, UserSession
from tests import factories
from tests.web.api.cast import Caller, Cast, Watch, contents, signed_in
from web.api import operations
from web.api.route import May, Operation
from web.http.extensions import db

OPERATIONS = operations()
WITH_ID = [one for one in OPERATIONS if "<uuid:" in one.rule]
UNSAFE = [one for one in OPERATIONS if one.method != "GET"]
#: A body that is valid for its route, so that nothing but the right is missing.
_BODIES: dict[str, object] = {
    "/monitors": {"name": "A", "type": "heartbeat"},
    "/monitors/bulk": {"ids": [str(uuid4())], "action": "pause"},
    "/notification-providers": {"name": "A", "type": "slack", "config": {"webhookUrl": "http://127.0.0.1:9/"}},
    "/maintenance-windows": {"durationMinutes": 5},
    "/tags": {"name": "a", "monitorIds": [str(uuid4())]},
    "/projects": {"name": "A"},
    "/members": {"email": "a@example.test", "role": "project_viewer", "password": "long enough"},
    "/api-keys": {"name": "A"},
    "/locations": {"code": "moon", "name": "A"},
}


def named(operation: Operation) -> str:
    return f"{operation.method} {operation.rule}"


def path_of(operation: Operation, object_id: object = "") -> str:
    path = operation.rule.replace("<string:name>", "a").replace("<string:code>", "us-east")
    for parameter in (
        "monitor",
        "provider",
        "alert",
        "delivery",
        "incident",
        "project",
        "member",
        "key",
        "window",
        "session",
    ):
        path = path.replace(f"<uuid:{parameter}_id>", str(object_id))
    return path


def call(caller: Caller, operation: Operation, object_id: object = "", **more: object) -> int:
    body = None
    if operation.body is not None:
        body = _BODIES.get(operation.rule, {"name": "B", "role": "project_viewer", "status": "up"})
        if operation.rule.endswith("/notify"):
            body = {"status": "up"}
        elif operation.rule.startswith("/members/"):
            body = {"role": "project_viewer"}
        elif operation.method in {"PUT", "PATCH"}:
            body = {"name": "B"}
    return caller.call(operation.method, path_of(operation, object_id), body, **more).status_code


def own_object(cast: Cast, operation: Operation) -> object:
    """The id of something of the cast's project that the route is about."""
    kind = operation.rule.split("/")[1]
    if kind == "monitors":
        return factories.a_monitor(cast.project).id
    if kind == "notification-providers":
        return factories.a_provider(cast.project).id
    if kind == "deliveries":
        alert = factories.an_alert(factories.a_monitor(cast.project), factories.a_provider(cast.project))
        return factories.changed(alert.deliveries[0], status="failed").id
    if kind == "maintenance-windows":
        return factories.a_window(cast.project).id
    if kind == "alerts":
        return factories.an_alert(factories.a_monitor(cast.project)).id
    if kind == "incidents":
        return factories.an_incident(factories.a_monitor(cast.project)).id
    if kind == "projects":
        return cast.project.id
    if kind == "sessions":
        return uuid4()
    if kind == "members":
        return cast.admin.get("/members").json["data"][0]["id"]  # type: ignore[index]
    return cast.admin.get("/api-keys").json["data"][0]["id"]  # type: ignore[index]


def test_nobody_gets_anything_without_credentials(cast: Cast, watch: Watch) -> None:
    assert [named(one) for one in OPERATIONS if call(cast.anonymous, one, uuid4()) != 401] == []
    assert watch.unchanged()


def test_another_projects_key_finds_nothing(cast: Cast, watch: Watch) -> None:
    objects = {named(one): own_object(cast, one) for one in WITH_ID}
    watch = replace(watch, before=contents(watch.connection))
    answers = {named(one): call(cast.stranger, one, objects[named(one)]) for one in WITH_ID}
    # A key is not a user who could be signed in.
    refused = {named(one) for one in WITH_ID if one.may is May.ORGANIZE or one.tag == "Sessions"}
    assert answers == {named(one): 403 if named(one) in refused else 404 for one in WITH_ID}
    assert watch.unchanged()


def test_a_malformed_id_is_not_found(cast: Cast) -> None:
    assert [named(one) for one in WITH_ID if call(cast.owner, one, "42") != 404] == []


def test_a_viewer_changes_nothing(cast: Cast, watch: Watch) -> None:
    assert [named(one) for one in UNSAFE if call(cast.viewer, one, uuid4()) != 403] == []
    assert watch.unchanged()


def test_an_editor_does_not_administer(cast: Cast, watch: Watch) -> None:
    higher = [one for one in OPERATIONS if one.may in {May.ADMINISTER, May.ORGANIZE}]
    assert higher
    assert [named(one) for one in higher if call(cast.editor, one, uuid4()) != 403] == []
    assert watch.unchanged()


@pytest.mark.parametrize("headers", [{}, {"X-CSRFToken": "guessed"}], ids=["none", "guessed"])
def test_a_session_without_its_csrf_token_changes_nothing(headers: dict[str, str], cast: Cast, watch: Watch) -> None:
    cast.owner.headers = headers
    assert [named(one) for one in UNSAFE if call(cast.owner, one, uuid4()) != 403] == []
    assert watch.unchanged()


def test_a_signed_in_person_uses_the_api_with_the_token(cast: Cast) -> None:
    made = cast.person.post("/monitors", {"name": "Nightly job", "type": "heartbeat"})
    assert made.status_code == 201
    assert cast.viewer.get(f"/monitors/{made.json['id']}").status_code == 200  # type: ignore[index]


def test_a_viewer_reads_everything_of_the_project(cast: Cast) -> None:
    monitor = factories.a_monitor(cast.project)
    for path in ("", "/results", "/pings", "/stats", "/location-stats"):
        assert cast.viewer.get(f"/monitors/{monitor.id}{path}").status_code == 200
    for path in (
        "/monitors",
        "/alerts",
        "/incidents",
        "/notification-providers",
        "/locations",
        "/schedules",
        "/tags",
        "/projects",
    ):
        assert cast.viewer.get(path).status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "sck_without_scheme", ""])
def test_a_wrong_authorization_header_is_refused(header: str, cast: Cast) -> None:
    assert cast.anonymous.get("/monitors", headers={"Authorization": header}).status_code == 401


def test_a_wrong_key_is_not_made_good_by_a_session(cast: Cast) -> None:
    assert cast.owner.get("/monitors", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_revoked_and_expired_keys_are_worth_nothing(app: Flask, cast: Cast) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    for column in ("revoked_at", "expires_at"):
        key = factories.an_api_key(cast.project, Role.PROJECT_EDITOR, **{column: past})
        assert Caller(app, {"Authorization": f"Bearer {key}"}).get("/monitors").status_code == 401


def test_a_key_stays_in_its_project_whatever_the_header_says(cast: Cast) -> None:
    own, foreign = str(cast.project.id), str(cast.other_project.id)
    assert cast.admin.get("/monitors", headers={"X-Project-Id": own}).status_code == 200
    assert cast.admin.get("/monitors", headers={"X-Project-Id": foreign}).status_code == 404
    assert cast.admin.get("/monitors", headers={"X-Project-Id": "nonsense"}).status_code == 404


def test_a_person_reaches_another_project_of_theirs_by_the_header(cast: Cast) -> None:
    sibling = factories.a_project(db.session.get(Project, cast.project.id).organization, "Shop")  # type: ignore[union-attr]
    factories.a_monitor(sibling, name="Checkout")
    answer = cast.owner.get("/monitors", headers={"X-Project-Id": str(sibling.id)})
    assert [one["name"] for one in answer.json["data"]] == ["Checkout"]  # type: ignore[index]
    assert cast.person.get("/monitors", headers={"X-Project-Id": str(sibling.id)}).status_code == 404


def test_the_mightiest_of_several_roles_counts(app: Flask, cast: Cast) -> None:
    user = factories.a_user(cast.project, Role.ORG_ADMIN)
    factories.a_membership(user, cast.project, Role.PROJECT_VIEWER)
    assert signed_in(app, user).get("/members").status_code == 200


def test_a_session_that_was_ended_is_worth_nothing(cast: Cast) -> None:
    assert cast.person.get("/monitors").status_code == 200
    db.session.execute(delete(UserSession).where(UserSession.user_id == cast.user.id))
    db.session.commit()
    assert cast.person.get("/monitors").status_code == 401


def test_a_disabled_person_is_out_at_once(cast: Cast) -> None:
    cast.user.enabled = False
    db.session.commit()
    assert cast.person.get("/monitors").status_code == 401


def test_a_person_without_a_project_is_told_so(app: Flask, cast: Cast) -> None:
    lonely = factories.a_user(cast.project)
    factories.no_membership(lonely)
    assert signed_in(app, lonely).get("/monitors").status_code == 403
