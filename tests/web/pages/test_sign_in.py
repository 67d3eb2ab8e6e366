"""Signing in and out, and that nothing is shown before."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from models.tables import Project, User, UserSession
from tests import factories
from tests.web.pages.visitor import Visitor, form_of
from web.http.extensions import db
from web.http.sessions import hash_of

AN_ID = "5ddb4566-30c6-4c46-8a4c-b450af7a567e"


def test_every_page_sends_unknown_clients_to_the_sign_in_form(app: Flask, context: None) -> None:
    stranger = Visitor(app.test_client())
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("pages.")]
    assert len(rules) > 25
    for rule in rules:
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<{name}>", AN_ID)
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        app.config["WTF_CSRF_ENABLED"] = False
        try:
            answer = stranger.open(path, method)
        finally:
            app.config["WTF_CSRF_ENABLED"] = True
        assert (answer.status_code, answer.location.split("?")[0]) == (302, "/login"), path


def test_after_signing_in_people_are_where_they_wanted_to_be(app: Flask, project: Project) -> None:
    user = factories.a_user(project)
    visitor = Visitor(app.test_client())
    sent = visitor.open("/monitors?status=down")
    assert sent.location == "/login?next=/monitors?status%3Ddown"
    answer = visitor.sign_in(user.email, wanted=sent.location)
    assert answer.status_code == 303
    assert answer.location == "/monitors?status=down"
    assert "Monitors" in visitor.get("/monitors?status=down")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.test/", "//evil.test/", "/\\evil.test", "\\\\evil.test", "javascript:alert(1)", "/\t/evil.test"],
)
def test_next_never_leads_off_the_site(app: Flask, project: Project, elsewhere: str) -> None:
    user = factories.a_user(project)
    visitor = Visitor(app.test_client())
    answer = visitor.submit("/login", email=user.email, password=factories.PASSWORD, next=elsewhere)
    assert answer.location == "/"


def test_a_wrong_password_and_an_unknown_address_read_alike(app: Flask, project: Project) -> None:
    user = factories.a_user(project)
    answers = [
        Visitor(app.test_client()).submit("/login", email=email, password="wrong wrong wrong")
        for email in (user.email, "nobody@example.test")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    for answer in answers:
        assert "The e-mail address or the password is wrong." in answer.text
        assert "wrong wrong" not in answer.text


def test_what_was_typed_as_an_address_comes_back_escaped(app: Flask, project: Project) -> None:
    answer = Visitor(app.test_client()).submit("/login", email='"><script>x</script>', password="x")
    assert "<script>x" not in answer.text


def test_a_form_without_its_token_is_refused(app: Flask, project: Project) -> None:
    user = factories.a_user(project)
    answer = Visitor(app.test_client()).open("/login", "POST", {"email": user.email, "password": factories.PASSWORD})
    assert answer.status_code == 400


def test_signing_out_ends_the_session(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    assert someone.post("/logout").location == "/login"
    assert someone.open("/").status_code == 302


def test_a_browser_that_signed_in_before_is_not_held_up_by_unknown_clients(app: Flask, project: Project) -> None:
    user = factories.a_user(project)
    known = Visitor(app.test_client())
    assert known.sign_in(user.email).status_code == 303
    known.post("/logout")
    stranger = Visitor(app.test_client())
    for _ in range(4):
        assert stranger.sign_in(user.email, "wrong").status_code in (401, 429)
    app.extensions["redis"].set(f"signin:pair:127.0.0.1:{user.email}:wait", 1, ex=60)  # long enough for a slow machine
    assert stranger.sign_in(user.email).status_code == 429, "an unknown client at the same address waits"
    assert known.sign_in(user.email).status_code == 303


def test_a_known_browser_has_delays_of_its_own(app: Flask, project: Project) -> None:
    user = factories.a_user(project)
    known = Visitor(app.test_client())
    known.sign_in(user.email)
    known.post("/logout")
    answers = [known.sign_in(user.email, "wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


def test_a_kept_cookie_of_a_signed_out_browser_opens_nothing(app: Flask, project: Project) -> None:
    user = factories.a_user(project)
    someone, thief = Visitor(app.test_client()), Visitor(app.test_client())
    someone.sign_in(user.email)
    cookie = someone.client.get_cookie("supercheck_session")
    assert cookie is not None
    thief.client.set_cookie("supercheck_session", cookie.value)
    assert thief.open("/").status_code == 200, "the session is good as long as it lasts"
    someone.post("/logout")
    assert thief.open("/").status_code == 302


@pytest.mark.parametrize(
    ("age", "unused", "status"),
    [(29, 0, 200), (31, 0, 302), (20, 13, 200), (20, 15, 302)],
)
def test_sessions_end_after_a_time_and_when_they_are_not_used(
    app: Flask, project: Project, age: int, unused: int, status: int
) -> None:
    now = datetime.now(UTC)
    token = factories.a_session(
        factories.a_user(project), created_at=now - timedelta(days=age), seen_at=now - timedelta(days=unused)
    )
    someone = Visitor(app.test_client())
    with someone.client.session_transaction() as session:
        session["_user_id"] = token
    assert someone.open("/").status_code == status


def test_signing_in_again_ends_the_session_before(app: Flask, project: Project, connection: Any) -> None:
    user = factories.a_user(project)
    someone = Visitor(app.test_client())
    someone.sign_in(user.email)
    with someone.client.session_transaction() as session:
        first = session["_user_id"]
    csrf = form_of(someone.get("/settings/account"))["csrf_token"]
    values = {"email": user.email, "password": factories.PASSWORD, "csrf_token": csrf}
    assert someone.open("/login", "POST", values).status_code == 303
    with someone.client.session_transaction() as session:
        assert session["_user_id"] != first
    assert connection.execute("SELECT count(*) FROM user_sessions").fetchone() == (1,)


def test_people_see_and_end_their_other_browsers(app: Flask, project: Project, connection: Any) -> None:
    user = factories.a_user(project)
    here, there, third = (Visitor(app.test_client()) for _ in range(3))
    for one in (here, there, third):
        one.become(user)
    connection.execute(
        "UPDATE user_sessions SET user_agent = '<b>Phone</b>' WHERE token_hash = %s", [hash_of(token_of(there))]
    )
    page = here.get("/settings/account")
    assert "&lt;b&gt;Phone&lt;/b&gt;" in page
    assert page.count("this browser") == 1
    row = connection.execute("SELECT id FROM user_sessions WHERE user_agent IS NOT NULL").fetchone()
    stranger = Visitor(app.test_client())
    stranger.become(factories.a_user(project))
    assert stranger.post(f"/settings/account/sessions/{row[0]}/end").status_code == 404
    assert here.post(f"/settings/account/sessions/{row[0]}/end").status_code == 303
    assert [one.open("/").status_code for one in (here, there, third)] == [200, 302, 200]
    here.post("/settings/account/sessions/end-others")
    assert [one.open("/").status_code for one in (here, there, third)] == [200, 302, 302]


def token_of(visitor: Visitor) -> str:
    with visitor.client.session_transaction() as session:
        return str(session["_user_id"])


PAGES = ("/", "/monitors", "/alerts", "/settings/account", "/settings/members", "/nothing/here")


@pytest.mark.parametrize("path", PAGES)
def test_a_person_without_a_project_is_told_so_and_can_sign_out(
    app: Flask, visitor: Callable[..., Visitor], path: str
) -> None:
    someone = visitor()
    factories.no_membership(current_of(someone))
    answer = someone.open(path)
    assert answer.status_code in (403, 404)
    if answer.status_code == 403:
        assert "You are not a member of any project." in answer.text
        assert "Ask an administrator" in answer.text
        out = someone.open("/logout", "POST", form_of(answer.text, "/logout"))
        assert out.location == "/login"
        assert someone.open("/").location == "/login"


def current_of(visitor: Visitor) -> User:
    row = db.session.scalar(select(UserSession).where(UserSession.token_hash == hash_of(token_of(visitor))))
    assert row is not None
    return db.session.get_one(User, row.user_id)


@pytest.mark.parametrize("broken", ["database", "template"])
def test_an_error_page_needs_nothing_that_can_fail(
    app: Flask, visitor: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    someone = visitor()

    def fails(*_: object, **__: object) -> Any:
        raise OperationalError("SELECT", {}, Exception("gone"))

    if broken == "database":
        monkeypatch.setattr("web.http.sessions.db.session.execute", fails)
        expected = 503
    else:
        monkeypatch.setattr("web.features.dashboard.pages.render_template", fails)
        monkeypatch.setattr("web.http.errors.render_template", fails)
        expected = 503
    answer = someone.open("/")
    assert answer.status_code == expected
    assert "The database is not reachable." in answer.text


def test_a_form_without_its_token_is_answered_by_a_page_with_an_id(app: Flask, project: Project) -> None:
    answer = Visitor(app.test_client()).open("/login", "POST", {"email": "ada@example.test", "password": "x"})
    assert answer.status_code == 400
    assert answer.mimetype == "text/html"
    assert answer.headers["X-Correlation-ID"] in answer.text
