"""Everybody who may call the API, each with another right, and a watch over what they change."""

import json
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import psycopg
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from models.tables import Project, Role, User
from tests import factories
from tests.web.api.contract import check_against_document

#: What a change may touch, minus what only using a key touches.
_WATCHED = [
    "monitors",
    "monitor_states",
    "monitor_notification_settings",
    "notification_providers",
    "maintenance_windows",
    "alerts",
    "deliveries",
    "projects",
    "users",
    "members",
    "user_sessions",
    "api_keys",
    "audit_events",
    "locations",
    "idempotency_keys",
]


class Caller:
    """A caller: `get`, `post` … on paths under /api; every good answer is checked against the OpenAPI document."""

    def __init__(self, app: Flask, headers: dict[str, str] | None = None) -> None:
        self.client = app.test_client()
        self.headers = headers or {}

    def call(self, method: str, path: str, body: object = None, **more: Any) -> TestResponse:
        headers = {**self.headers, **more.pop("headers", {})}
        if body is not None:
            more = {"data": json.dumps(body), "content_type": "application/json", **more}
        # A context of its own: the test's application context must not lend the request its session and its `g`.
        answer = Context().run(self.client.open, "/api" + path, method=method, headers=headers, **more)
        check_against_document(method, "/api" + path, answer)
        return answer

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.call("GET", path, **more)

    def post(self, path: str, body: object = None, **more: Any) -> TestResponse:
        return self.call("POST", path, body, **more)

    def patch(self, path: str, body: object = None, **more: Any) -> TestResponse:
        return self.call("PATCH", path, body, **more)

    def put(self, path: str, body: object = None, **more: Any) -> TestResponse:
        return self.call("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> TestResponse:
        return self.call("DELETE", path, **more)


@dataclass
class Cast:
    """One project's people and programs, and a user from another project. `person` is signed in with a browser."""

    project: Project
    other_project: Project
    anonymous: Caller
    viewer: Caller
    editor: Caller
    admin: Caller
    owner: Caller
    person: Caller
    stranger: Caller
    user: User


def assemble(app: Flask) -> Cast:
    """A fresh cast in the database; needs an application context."""
    project = factories.a_project()
    other = factories.a_project(name="Elsewhere")
    factories.a_location("us-east", "Ashburn", position=0)
    factories.a_location("eu-central", "Falkenstein", position=1)
    user = factories.a_user(project, Role.PROJECT_EDITOR)
    return Cast(
        project=project,
        other_project=other,
        anonymous=Caller(app),
        viewer=_program(app, project, Role.PROJECT_VIEWER),
        editor=_program(app, project, Role.PROJECT_EDITOR),
        admin=_program(app, project, Role.PROJECT_ADMIN),
        owner=signed_in(app, factories.a_user(project, Role.ORG_OWNER)),
        person=signed_in(app, user),
        stranger=_program(app, other, Role.PROJECT_ADMIN),
        user=user,
    )


def _program(app: Flask, project: Project, role: Role) -> Caller:
    return Caller(app, {"Authorization": f"Bearer {factories.an_api_key(project, role)}"})


def signed_in(app: Flask, user: User) -> Caller:
    """A browser with the session of `user` and its CSRF token."""
    caller = Caller(app)
    token_of_session = factories.a_session(user)
    with caller.client.session_transaction() as session:
        session["_user_id"] = token_of_session
        session["_fresh"] = True
        session["csrf_token"] = "0" * 40
    token = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps("0" * 40)  # type: ignore[arg-type]
    caller.headers = {"X-CSRFToken": str(token)}
    return caller


@dataclass
class Watch:
    """What the tables hold: `unchanged()` tells whether they still hold what they did."""

    connection: psycopg.Connection[Any]
    before: dict[str, str | None]

    def unchanged(self) -> bool:
        return contents(self.connection) == self.before


def contents(connection: psycopg.Connection[Any]) -> dict[str, str | None]:
    """A digest of every watched table."""
    found = {}
    for table in _WATCHED:
        row = connection.execute(
            f"SELECT md5(string_agg((to_jsonb(t) - 'last_used_at')::text, ',' ORDER BY to_jsonb(t)::text)) FROM {table} t"
        ).fetchone()
        assert row is not None
        found[table] = row[0]
    return found
