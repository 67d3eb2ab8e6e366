"""Projects, members, API keys, tags, locations, schedules and the audit trail over the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from flask import Flask

from models.tables import Role
from tests import factories
from tests.web.api.cast import Caller, Cast, Watch, signed_in


def names(answer: Any, key: str = "name") -> list[str]:
    return [one[key] for one in answer.json["data"]]


def test_a_key_is_shown_once_and_works_with_its_role(app: Flask, cast: Cast) -> None:
    made = cast.admin.post("/api-keys", {"name": "CI", "role": "project_viewer"}).json
    assert made is not None
    program = Caller(app, {"Authorization": f"Bearer {made['key']}"})
    assert program.get("/monitors").status_code == 200
    assert program.post("/monitors", {"name": "A", "type": "heartbeat"}).status_code == 403
    listed = cast.admin.get("/api-keys")
    assert made["key"] not in listed.text
    assert made["prefix"] in listed.text
    assert cast.admin.delete(f"/api-keys/{made['id']}").status_code == 204
    assert program.get("/monitors").status_code == 401
    assert cast.admin.delete(f"/api-keys/{made['id']}").status_code == 404


def test_a_repeated_request_for_a_key_does_not_show_it_again(cast: Cast) -> None:
    first, again = (
        cast.admin.post("/api-keys", {"name": "CI"}, headers={"Idempotency-Key": "k"}).json for _ in range(2)
    )
    assert (again["id"], again["key"]) == (first["id"], None)  # type: ignore[index]


def test_keys_can_neither_outrank_their_creator_nor_be_expired(cast: Cast, watch: Watch) -> None:
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for body in ({"name": "A", "role": "org_owner"}, {"name": "A", "expiresAt": past}, {"name": ""}):
        assert cast.admin.post("/api-keys", body).status_code == 422
    assert watch.unchanged()


def test_a_person_is_added_with_a_role_and_changed_and_removed(app: Flask, cast: Cast) -> None:
    body = {"email": "Grace@Example.TEST", "role": "project_viewer", "name": "Grace", "password": "long enough"}
    made = cast.admin.post("/members", body)
    assert made.status_code == 201
    member = made.json
    assert (member["email"], member["role"]) == ("grace@example.test", "project_viewer")  # type: ignore[index]
    assert "password" not in made.text
    again = {"email": "grace@example.test", "role": "project_editor"}
    assert cast.admin.post("/members", again).status_code == 409
    path = f"/members/{member['id']}"  # type: ignore[index]
    assert cast.admin.patch(path, {"role": "project_editor"}).json["role"] == "project_editor"  # type: ignore[index]
    assert cast.admin.patch(path, {"role": "org_admin"}).status_code == 403
    assert cast.owner.patch(path, {"role": "org_admin"}).status_code == 422
    assert cast.admin.delete(path).status_code == 204
    assert "grace@example.test" not in names(cast.admin.get("/members"), "email")


def test_a_role_above_the_callers_own_is_neither_granted_nor_revoked(cast: Cast, watch: Watch) -> None:
    owner = next(one for one in cast.admin.get("/members").json["data"] if one["role"] == "org_owner")  # type: ignore[index]
    new = {"email": "a@b.test", "role": "org_owner", "password": "long enough"}
    assert cast.admin.post("/members", new).status_code == 403
    assert cast.admin.delete(f"/members/{owner['id']}").status_code == 403
    assert cast.admin.patch(f"/members/{owner['id']}", {"role": "project_viewer"}).status_code == 403
    assert watch.unchanged()


def test_the_last_owner_stays(cast: Cast, watch: Watch) -> None:
    owner = next(one for one in cast.admin.get("/members").json["data"] if one["role"] == "org_owner")  # type: ignore[index]
    assert cast.owner.delete(f"/members/{owner['id']}").status_code == 409
    assert cast.owner.patch(f"/members/{owner['id']}", {"role": "org_admin"}).status_code == 409
    assert watch.unchanged()


def test_an_account_needs_a_first_password_and_an_address(cast: Cast, watch: Watch) -> None:
    for body in (
        {"email": "new@example.test", "role": "project_viewer"},
        {"email": "new@example.test", "role": "project_viewer", "password": "short"},
        {"email": "new@example.test", "role": "project_viewer", "password": "aaaaaaaaaaaa"},
        {"email": "nobody", "role": "project_viewer", "password": "long enough"},
        {"email": cast.user.email, "role": "project_viewer", "password": "not their own"},
        {"email": "new@example.test", "role": "king", "password": "long enough"},
    ):
        assert cast.admin.post("/members", body).status_code == 422, body
    assert watch.unchanged()


def test_projects_are_made_renamed_and_deleted_by_the_organisation(cast: Cast) -> None:
    made = cast.owner.post("/projects", {"name": "Shop"}).json
    assert made is not None
    assert names(cast.owner.get("/projects")) == ["Shop", "Website"]
    assert names(cast.person.get("/projects")) == ["Website"]
    assert names(cast.admin.get("/projects")) == ["Website"], "a key belongs to one project"
    path = f"/projects/{made['id']}"
    assert cast.owner.patch(path, {"name": "Store"}).json["name"] == "Store"  # type: ignore[index]
    assert cast.person.get(path).status_code == 404
    assert cast.owner.delete(path).status_code == 204
    assert cast.owner.delete(f"/projects/{cast.project.id}").status_code == 409, "the last one"
    assert cast.owner.delete(f"/projects/{cast.other_project.id}").status_code == 404


def test_locations_tell_their_live_workers(cast: Cast) -> None:
    from actors.broker import broker

    broker.client.set("supercheck:worker:eu-central:one", 1, ex=10)
    broker.client.set("supercheck:worker:eu-central:two", 1, ex=10)
    us, eu = cast.viewer.get("/locations").json["data"]  # type: ignore[index]
    assert (us["code"], us["queue"], us["workersOnline"]) == ("us-east", "monitor-execution.us-east", 0)
    assert (eu["name"], eu["enabled"], eu["workersOnline"]) == ("Falkenstein", True, 2)


def test_schedules_tell_the_next_run_and_the_lag(cast: Cast) -> None:
    now = datetime.now(UTC)
    late = factories.a_monitor(cast.project, name="Late", state={"next_run_at": now - timedelta(seconds=30)})
    factories.a_monitor(cast.project, name="In time")
    factories.a_monitor(cast.project, name="Paused", enabled=False)
    first, second = cast.viewer.get("/schedules").json["data"]  # type: ignore[index]
    assert (first["id"], first["monitor"]["name"], second["monitor"]["name"]) == (
        f"monitor:{late.id}",
        "Late",
        "In time",
    )
    assert 30 <= first["lagSeconds"] < 60
    assert second["lagSeconds"] == 0


def test_tags_are_counted_added_renamed_and_removed(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    one = factories.a_monitor(cast.project, tags=["prod", "web"])
    two = factories.a_monitor(cast.project, tags=["web"])
    foreign = factories.a_monitor(cast.other_project, tags=["web"])
    listed = cast.viewer.get("/tags").json["data"]  # type: ignore[index]
    assert listed == [{"name": "prod", "monitors": 1}, {"name": "web", "monitors": 2}]
    added = cast.editor.post("/tags", {"name": "prod", "monitorIds": [str(one.id), str(two.id)]})
    assert added.json == {"name": "prod", "monitors": 2}
    assert cast.editor.patch("/tags/web", {"name": "prod"}).json == {"name": "prod", "monitors": 2}
    assert cast.editor.delete("/tags/prod").status_code == 204
    assert cast.editor.delete("/tags/prod").status_code == 404
    tags = dict(connection.execute("SELECT id, tags FROM monitors").fetchall())
    assert tags == {one.id: [], two.id: [], foreign.id: ["web"]}
    wrong = {"name": "a", "monitorIds": [str(foreign.id)]}
    assert cast.editor.post("/tags", wrong).status_code == 422


def test_the_trail_is_filtered_and_is_the_projects_own(app: Flask, cast: Cast) -> None:
    cast.admin.post("/api-keys", {"name": "CI"})
    cast.editor.post("/monitors", {"name": "A", "type": "heartbeat"}, headers={"X-Correlation-ID": "request-1"})
    assert names(cast.admin.get("/audit"), "action") == ["monitor.created", "api_key.created"]
    [event] = cast.admin.get("/audit?objectType=monitor").json["data"]  # type: ignore[index]
    assert (event["actor"], event["correlationId"], event["ip"]) == ("A program", "request-1", "127.0.0.1")
    assert cast.stranger.get("/audit").json["data"] == []  # type: ignore[index]
    member = signed_in(app, factories.a_user(cast.project, Role.PROJECT_VIEWER))
    assert member.get("/audit").status_code == 403
