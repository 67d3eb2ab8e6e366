"""Notification providers on their pages."""

from collections.abc import Callable
from typing import Any

import pytest

from models.secrets import encryption
from models.tables import NotificationProvider, Project
from tests import factories
from tests.conftest import SettingsOf
from tests.web.pages.visitor import Visitor, form_of
from web.http.extensions import db
from web.services import test_message_limit

NEW: dict[str, dict[str, str]] = {
    "email": {
        "config.to": "a@example.test, b@example.test",
        "config.smtpHost": "127.0.0.1",
        "config.from": "watch@example.test",
    },
    "slack": {"config.webhookUrl": "https://127.0.0.1:9/services/T0/B0/abcdefgh"},
    "webhook": {"config.url": "http://127.0.0.1:9/hook", "config.secret": "very secret thing"},
    "telegram": {"config.botToken": "123:abcdefghijkl", "config.chatId": "-1001"},
    "discord": {"config.webhookUrl": "https://127.0.0.1:9/api/webhooks/1/abcdefgh"},
    "teams": {"config.webhookUrl": "https://127.0.0.1:9/workflows/abcdefgh"},
    "apprise": {"config.url": "json://127.0.0.1:9/abcdefgh"},
}


def stored() -> tuple[NotificationProvider, dict[str, str]]:
    db.session.expire_all()
    row = db.session.query(NotificationProvider).one()
    return row, encryption.decrypt(row.secrets, "notification_providers", row.id)


@pytest.mark.parametrize("kind", NEW)
def test_each_type_is_saved_shown_masked_and_kept_by_an_untouched_save(
    visitor: Callable[..., Visitor], kind: str
) -> None:
    someone = visitor()
    answer = someone.submit(f"/notification-providers/new?type={kind}", name="On call", **NEW[kind])
    assert answer.status_code == 303, answer.text
    row, secrets = stored()
    config = row.config
    page = someone.get(f"/notification-providers/{row.id}")
    for secret in secrets.values():
        if secret != NEW[kind].get("config.url"):  # a webhook's address without a query is no secret
            assert secret not in page
    assert someone.submit(f"/notification-providers/{row.id}").status_code == 303
    row, kept = stored()
    assert (row.config, kept) == (config, secrets)


def test_wrong_input_is_said_at_its_place(visitor: Callable[..., Visitor], connection: Any) -> None:
    someone = visitor()
    answer = someone.submit("/notification-providers/new?type=slack", name="", **{"config.webhookUrl": "no url"})
    assert answer.status_code == 422
    assert answer.text.count("is-invalid") == 2
    assert connection.execute("SELECT count(*) FROM notification_providers").fetchone() == (0,)


def test_an_email_provider_needs_a_mail_server_and_the_form_says_whether_there_is_one(
    visitor: Callable[..., Visitor], settings_of: SettingsOf
) -> None:
    path, someone = "/notification-providers/new?type=email", visitor()
    typed = {"name": "Mail", "config.to": "a@example.test", "config.from": "watch@example.test"}
    assert "Leave empty to use the server&#39;s default (currently: none)." in someone.get(path)
    answer = someone.submit(path, **typed)
    assert answer.status_code == 422
    assert "No mail server: enter one here" in answer.text
    settings_of(smtp_host="mail.example.test")
    assert "(currently: mail.example.test)." in someone.get(path)
    assert someone.submit(path, **typed).status_code == 303


@pytest.mark.parametrize("saved", [False, True])
def test_a_provider_is_tested_from_its_form_before_it_is_saved(
    visitor: Callable[..., Visitor], project: Project, connection: Any, saved: bool
) -> None:
    path = "/notification-providers/new?type=webhook"
    if saved:
        path = f"/notification-providers/{factories.a_provider(project).id}"
    someone = visitor()
    before = connection.execute("SELECT p::text FROM notification_providers p").fetchall()
    typed = {"name": "Typed only", "config.url": "http://127.0.0.1:9/typed", "config.secret": "typed secret"}
    answer = someone.submit(path, test="1", **typed)
    assert answer.status_code == 200, answer.text
    assert "Test message failed." in answer.text
    kept = form_of(answer.text)
    assert {name: kept[name] for name in typed} == typed
    assert connection.execute("SELECT p::text FROM notification_providers p").fetchall() == before
    wrong = someone.submit(path, test="1", **{**typed, "config.url": "no url"})
    assert wrong.status_code == 422
    assert wrong.text.count("is-invalid") == 1
    with test_message_limit.reserve(project.id), test_message_limit.reserve(project.id):
        assert "Other test messages still wait" in someone.submit(path, test="1", **typed).text
    kept.pop("test", None)
    assert someone.open(path, "POST", kept).status_code == 303
    assert stored()[0].name == "Typed only"


def test_a_failed_test_message_says_why(visitor: Callable[..., Visitor], project: Project) -> None:
    provider = factories.a_provider(project, config={"url": "http://127.0.0.1:9/", "method": "POST", "headers": {}})
    someone = visitor()
    someone.post(f"/notification-providers/{provider.id}/test")
    page = someone.get("/notification-providers")
    assert "Test message to On call failed:" in page
    assert "Failing" in page


def test_a_test_message_that_finds_no_place_is_told(visitor: Callable[..., Visitor], project: Project) -> None:
    provider = factories.a_provider(project)
    someone = visitor()
    with test_message_limit.reserve(project.id), test_message_limit.reserve(project.id):
        someone.post(f"/notification-providers/{provider.id}/test")
    assert "Other test messages still wait for an answer" in someone.get("/notification-providers")


def test_deleting_asks_first(visitor: Callable[..., Visitor], project: Project, connection: Any) -> None:
    provider = factories.a_provider(project)
    someone = visitor()
    path = f"/notification-providers/{provider.id}/delete"
    assert "Delete <bdi>On call</bdi>?" in someone.get(path)
    someone.submit(path)
    assert connection.execute("SELECT count(*) FROM notification_providers").fetchone() == (0,)


def test_another_projects_provider_is_not_there(visitor: Callable[..., Visitor], context: None) -> None:
    foreign = factories.a_provider(factories.a_project(name="Elsewhere"))
    someone = visitor()
    for path in (f"/notification-providers/{foreign.id}", f"/notification-providers/{foreign.id}/delete"):
        someone.get(path, 404)
    assert someone.post(f"/notification-providers/{foreign.id}/test").status_code == 404


def test_a_limit_and_a_fallback_are_set_in_the_form(visitor: Callable[..., Visitor], project: Project) -> None:
    fallback = factories.a_provider(project, name="The other one")
    provider = factories.a_provider(project, name="The first one")
    path = f"/notification-providers/{provider.id}"
    someone = visitor()
    answer = someone.submit(path, maxPerMinute="7", fallbackProviderId=str(fallback.id))
    assert answer.status_code == 303, answer.text
    assert someone.form(path)["fallbackProviderId"] == str(fallback.id)
    assert someone.form(path)["maxPerMinute"] == "7"
    # An untouched save keeps both; itself is not among the choices
    assert someone.submit(path).status_code == 303
    db.session.expire_all()
    row = db.session.get_one(NotificationProvider, provider.id)
    assert (row.max_per_minute, row.fallback_provider_id) == (7, fallback.id)
    assert f'value="{provider.id}"' not in someone.get(path)
    wrong = someone.submit(f"/notification-providers/{fallback.id}", fallbackProviderId=str(provider.id))
    assert wrong.status_code == 422
    assert "in a circle" in wrong.text


def test_a_providers_page_tells_how_it_did_to_viewers_too(visitor: Callable[..., Visitor], project: Project) -> None:
    provider = factories.a_provider(project, last_error="The service answered 500.")
    monitor = factories.a_monitor(project, name="Checkout")
    alert = factories.an_alert(monitor, provider, status="failed")
    log = [
        {"at": "2030-01-31T12:00:00+00:00", "durationMs": 12.5, "outcome": "retrying", "error": "It answered 503."},
        {"at": "2030-01-31T12:00:05+00:00", "durationMs": None, "outcome": "lost", "error": "The worker ended."},
    ]
    factories.changed(alert.deliveries[0], logged=log, error="It answered 503.")
    for role in ("project_viewer", "project_editor"):
        page = visitor(role).get(f"/notification-providers/{provider.id}")
        for words in ("The service answered 500.", "Checkout", "0 sent, 1 failed", "2 attempts", "It answered 503."):
            assert words in page, (role, words)
        assert ("Save changes" in page) is (role == "project_editor")
