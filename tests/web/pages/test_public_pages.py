"""Public pages: everyone may see them, and they show nothing of a session."""

from flask import Flask
from werkzeug.routing import Rule

from models.tables import Project
from tests import factories
from tests.web.pages.visitor import Visitor


def _public_pages(app: Flask) -> list[Rule]:
    """The public routes that a browser may open without arguments."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("public.") and "GET" in (rule.methods or ()) and not rule.arguments
    ]


def test_a_public_page_needs_no_session(app: Flask, context: None) -> None:
    rules = _public_pages(app)
    assert rules
    for rule in rules:
        visitor = Visitor(app.test_client())
        answer = visitor.open(rule.rule)
        assert answer.status_code == 200, rule.rule
        assert '<main class="door"' in answer.text
        assert 'aria-label="Main"' not in answer.text, "the navigation is for people who are signed in"
        assert "/logout" not in answer.text


def test_a_public_page_ignores_an_invalid_session(app: Flask, project: Project) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "a token that no session has"
        session["project_id"] = str(project.id)
    for rule in _public_pages(app):
        answer = Visitor(client).open(rule.rule)
        assert answer.status_code == 200
        assert project.name not in answer.text


def test_public_and_signed_in_pages_have_different_parents(app: Flask, project: Project) -> None:
    visitor = Visitor(app.test_client())
    visitor.sign_in(factories.a_user(project).email)
    assert 'aria-label="Main"' in visitor.get("/")
    assert {rule.rule for rule in _public_pages(app)} == {"/login"}
