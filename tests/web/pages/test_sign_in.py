"""Signing in and out, and that nothing is shown before."""

from collections.abc import Callable

import pytest
from flask import Flask

from models.tables import Project
from tests import factories
from tests.web.pages.visitor import Visitor

AN_ID = "5ddb4566-30c6-4c46-8a4c-b450af7a567e"


def test_every_page_sends_strangers_to_the_sign_in_form(app: Flask, context: None) -> None:
    stranger = Visitor(app.test_client())
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and rule.endpoint not in ("pages.sign_in.login", "pages.sign_in.submit")
    ]
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
