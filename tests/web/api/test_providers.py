"""Notification providers over the API: their configs, their secrets, their test button."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from models.secrets import encryption
from tests import factories
from tests.conftest import SettingsOf
from tests.web.api.cast import Cast, Watch
from web.http.errors import Problem
from web.services import test_message_limit

HOOK = "http://127.0.0.1:9/services/T000/B000/secret"
GOOD: dict[str, dict[str, Any]] = {
    "slack": {"webhookUrl": HOOK},
    "discord": {"webhookUrl": HOOK},
    "teams": {"webhookUrl": HOOK},
    "webhook": {
        "url": "http://ada:pass@127.0.0.1:9/hook?key=0123456789",
        "headers": {"X-A": "12345678"},
        "secret": "sh",
    },
    "telegram": {"botToken": "123456:ABC-DEF", "chatId": -100123, "apiBase": "http://127.0.0.1:9"},
    "email": {
        "to": ["ops@mail.internal", "root@localhost"],
        "smtpHost": "127.0.0.1",
        "username": "a",
        "password": "p",
        "from": "watch@mail.internal",
    },
    "apprise": {"url": "json://127.0.0.1:9/secret"},
}


class Service(BaseHTTPRequestHandler):
    """A service that answers `status` to everything and keeps what it got."""

    status = 200
    got: list[dict[str, str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        type(self).got.append(dict(self.headers))
        self.send_response(type(self).status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def service() -> Iterator[tuple[str, type[Service]]]:
    """A URL that a server answers, and the server."""
    handler = type("Handler", (Service,), {"got": [], "status": 200})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", handler
    server.shutdown()
    thread.join()
    server.server_close()


def secrets_in(connection: psycopg.Connection[Any], provider_id: str) -> dict[str, Any]:
    row = connection.execute("SELECT secrets FROM notification_providers WHERE id = %s", [provider_id]).fetchone()
    assert row is not None
    return encryption.decrypt(row[0], "notification_providers", UUID(provider_id))


@pytest.mark.parametrize("kind", GOOD)
def test_every_type_can_be_made_and_shows_no_secret(kind: str, cast: Cast, connection: psycopg.Connection[Any]) -> None:
    answer = cast.editor.post("/notification-providers", {"name": "A", "type": kind, "config": GOOD[kind]})
    assert answer.status_code == 201, answer.text
    provider = answer.json
    assert provider is not None
    assert provider["health"]["status"] == "unknown"
    for hidden in ("B000", "pass@", "/secret", "0123456789", "12345678", "ABC-DEF", '"sh"', '"p"'):
        assert hidden not in answer.text
    opened = secrets_in(connection, provider["id"])
    assert opened
    assert cast.editor.put(f"/notification-providers/{provider['id']}", provider).status_code == 200
    assert secrets_in(connection, provider["id"]) == opened


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": ""}),
    ("type", {"type": "pager"}),
    ("config", {"config": None}),
    ("config", {"config": "x"}),
    ("naem", {"naem": 1}),
    ("enabled", {"enabled": 1}),
    ("config.webhookUrl", {"config": {}}),
    ("config.webhookUrl", {"config": {"webhookUrl": "ftp://example.com"}}),
    ("config.webhookUrl", {"config": {"webhookUrl": "ht…et"}}),
    ("config.url", {"config": {**GOOD["slack"], "url": "x"}}),
    ("config.url", {"type": "webhook", "config": {"url": "http://a b/"}}),
    ("config.url", {"type": "webhook", "config": {"url": "http://127.0.0.1/?ke…89"}}),
    ("config.method", {"type": "webhook", "config": {"url": HOOK, "method": "GET"}}),
    ("config.headers", {"type": "webhook", "config": {"url": HOOK, "headers": {"A": "b\r\nC: d"}}}),
    ("config.headers", {"type": "webhook", "config": {"url": HOOK, "headers": {"X-Supercheck-Event": "a"}}}),
    ("config.to", {"type": "email", "config": {"to": []}}),
    ("config.to.0", {"type": "email", "config": {"to": ["a@b\r\nBcc: c@d"]}}),
    ("config.to.0", {"type": "email", "config": {"to": ["nobody"]}}),
    ("config.smtpPort", {"type": "email", "config": {"to": ["a@b.test"], "smtpPort": 0}}),
    ("config.smtpSecurity", {"type": "email", "config": {"to": ["a@b.test"], "smtpSecurity": "ssl"}}),
    ("config.from", {"type": "email", "config": {"to": ["a@b.test"]}}),
    ("config.from", {"type": "email", "config": {"to": ["a@b.test"], "username": "no address"}}),
    ("maxPerMinute", {"maxPerMinute": 0}),
    ("maxPerMinute", {"maxPerMinute": "20"}),
    ("fallbackProviderId", {"fallbackProviderId": "42"}),
    ("fallbackProviderId", {"fallbackProviderId": str(UUID(int=1))}),
    ("config.botToken", {"type": "telegram", "config": {"botToken": "a/../b", "chatId": "1"}}),
    ("config.chatId", {"type": "telegram", "config": {"botToken": "1:a", "chatId": True}}),
    ("config.url", {"type": "apprise", "config": {}}),
]


def test_every_wrong_field_is_named_and_nothing_is_made(cast: Cast, watch: Watch) -> None:
    for field, changes in WRONG:
        body = {"name": "A", "type": "slack", "config": GOOD["slack"], **changes}
        answer = cast.editor.post("/notification-providers", body)
        assert answer.status_code == 422, (changes, answer.text)
        assert field in answer.json["error"]["fields"], (changes, answer.text)  # type: ignore[index]
    assert watch.unchanged()


def test_internal_addresses_are_refused(cast: Cast, settings_of: SettingsOf) -> None:
    settings_of(allow_internal_targets=False)
    for kind, field in (("slack", "webhookUrl"), ("webhook", "url"), ("telegram", "apiBase"), ("email", "smtpHost")):
        answer = cast.editor.post("/notification-providers", {"name": "A", "type": kind, "config": GOOD[kind]})
        assert answer.status_code == 422, kind
        assert "ALLOWED_INTERNAL_TARGETS" in answer.json["error"]["fields"][f"config.{field}"]  # type: ignore[index]


def test_config_is_merged_by_key_and_null_removes(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    provider = factories.a_provider(
        cast.project,
        config={"url": HOOK, "method": "PUT", "headers": {}, "secret": "ol…et"},
        secret={"secret": "old secret"},
    )
    path = f"/notification-providers/{provider.id}"
    changed = cast.editor.put(path, {"config": {"method": None}, "name": "Renamed"}).json
    assert (changed["name"], changed["config"]["method"]) == ("Renamed", "POST")  # type: ignore[index]
    assert secrets_in(connection, str(provider.id))["secret"] == "old secret"
    cast.editor.put(path, {"config": {"secret": None}})
    assert "secret" not in secrets_in(connection, str(provider.id))
    assert cast.editor.put(path, {"type": "slack"}).status_code == 422


def test_only_enabling_a_provider_again_has_it_told_what_ended_meanwhile(
    cast: Cast, connection: psycopg.Connection[Any]
) -> None:
    def resumed() -> bool:
        row = connection.execute("SELECT resumed_at IS NOT NULL FROM notification_providers").fetchone()
        assert row is not None
        return bool(row[0])

    config = {"url": "http://127.0.0.1:9/hook"}
    made = cast.editor.post("/notification-providers", {"name": "A", "type": "webhook", "config": config}).json
    path = f"/notification-providers/{made['id']}"  # type: ignore[index]
    for change, expected in (({"name": "B"}, False), ({"enabled": False}, False), ({"enabled": True}, True)):
        assert cast.editor.put(path, change).status_code == 200
        assert resumed() is expected


def test_a_test_message_is_really_sent(cast: Cast, service: tuple[str, type[Service]]) -> None:
    url, handler = service
    made = cast.editor.post("/notification-providers", {"name": "A", "type": "webhook", "config": {"url": url}}).json
    path = f"/notification-providers/{made['id']}"  # type: ignore[index]
    answer = cast.editor.post(f"{path}/test").json
    assert (answer["success"], answer["error"]) == (True, None)  # type: ignore[index]
    assert [one["X-Supercheck-Event"] for one in handler.got] == ["test"]
    assert cast.viewer.get(path).json["health"]["status"] == "ok"  # type: ignore[index]


def test_no_more_than_two_test_messages_of_a_project_wait_at_once(
    cast: Cast, service: tuple[str, type[Service]], connection: psycopg.Connection[Any]
) -> None:
    url, handler = service
    made = cast.editor.post("/notification-providers", {"name": "A", "type": "webhook", "config": {"url": url}}).json
    path = f"/notification-providers/{made['id']}"  # type: ignore[index]
    found = connection.execute("SELECT project_id FROM notification_providers").fetchone()
    assert found is not None
    with test_message_limit.reserve(found[0]):
        assert cast.editor.post(f"{path}/test").json["success"] is True  # type: ignore[index]
        with test_message_limit.reserve(found[0]), test_message_limit.reserve(uuid4()):
            answer = cast.editor.post(f"{path}/test")
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
            assert cast.viewer.get(path).json["health"]["status"] == "ok"  # type: ignore[index]
    assert cast.editor.post(f"{path}/test").json["success"] is True  # type: ignore[index]
    assert len(handler.got) == 2


def test_all_projects_together_leave_threads_to_pages() -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(test_message_limit.AT_ALL):
            stack.enter_context(test_message_limit.reserve(uuid4()))
        with pytest.raises(Problem), test_message_limit.reserve(uuid4()):
            raise AssertionError("there was a place")
    with test_message_limit.reserve(uuid4()):
        pass


def test_a_failing_test_is_told_with_200_and_remembered(cast: Cast, service: tuple[str, type[Service]]) -> None:
    url, handler = service
    handler.status = 404
    made = cast.editor.post("/notification-providers", {"name": "A", "type": "webhook", "config": {"url": url}}).json
    path = f"/notification-providers/{made['id']}"  # type: ignore[index]
    answer = cast.editor.post(f"{path}/test")
    assert answer.status_code == 200
    assert answer.json["success"] is False  # type: ignore[index]
    assert "404" in answer.json["error"]  # type: ignore[index]
    assert cast.viewer.get(path).json["health"]["status"] == "broken"  # type: ignore[index]
    cast.editor.put(path, {"name": "Mended"})
    assert cast.viewer.get(path).json["health"]["status"] == "failing"  # type: ignore[index]
    handler.status = 200
    assert cast.editor.post(f"{path}/test").json["success"] is True  # type: ignore[index]
    assert cast.viewer.get(path).json["health"]["status"] == "ok"  # type: ignore[index]


def test_a_deleted_provider_leaves_its_monitors(cast: Cast) -> None:
    provider = factories.a_provider(cast.project)
    monitor = factories.a_monitor(cast.project, providers=(provider,))
    assert cast.editor.delete(f"/notification-providers/{provider.id}").status_code == 204
    shown = cast.viewer.get(f"/monitors/{monitor.id}").json
    assert shown["alertConfig"]["notificationProviders"] == []  # type: ignore[index]


def test_providers_are_listed_by_name_and_type(cast: Cast) -> None:
    factories.a_provider(cast.project, "slack", config={"webhookUrl": "…"}, name="b")
    factories.a_provider(cast.project, name="a")
    factories.a_provider(cast.other_project, name="not ours")
    listed = [
        [one["name"] for one in cast.viewer.get(f"/notification-providers{query}").json["data"]]  # type: ignore[index]
        for query in ("", "?type=slack")
    ]
    assert listed == [["a", "b"], ["b"]]


@pytest.mark.parametrize(
    ("config", "smtp_from"),
    [
        ({"from": "watch@example.test"}, ""),
        ({"username": "watch@example.test", "smtpHost": "127.0.0.1"}, ""),
        ({}, "watch@example.test"),
    ],
)
def test_mail_needs_a_sender_from_anywhere(
    cast: Cast, settings_of: SettingsOf, config: dict[str, Any], smtp_from: str
) -> None:
    settings_of(smtp_from=smtp_from, smtp_host="mail.example.test")
    body = {"name": "A", "type": "email", "config": {"to": ["a@b.test"], **config}}
    assert cast.editor.post("/notification-providers", body).status_code == 201


def test_mail_needs_a_server_from_anywhere_unless_the_provider_is_disabled(cast: Cast, settings_of: SettingsOf) -> None:
    body = {"name": "A", "type": "email", "config": {"to": ["a@b.test"], "from": "watch@example.test"}}
    refused = cast.editor.post("/notification-providers", body)
    assert refused.status_code == 422
    assert "config.smtpHost" in refused.json["error"]["fields"]  # type: ignore[index]
    assert cast.editor.post("/notification-providers", {**body, "enabled": False}).status_code == 201
    settings_of(smtp_host="mail.example.test")
    assert cast.editor.post("/notification-providers", body).status_code == 201


def test_a_limit_and_a_fallback_are_kept_shown_and_taken_away(cast: Cast) -> None:
    other = factories.a_provider(cast.project)
    body = {"name": "A", "type": "slack", "config": GOOD["slack"], "maxPerMinute": 5}
    made = cast.editor.post("/notification-providers", {**body, "fallbackProviderId": str(other.id)}).json
    assert (made["maxPerMinute"], made["fallbackProviderId"]) == (5, str(other.id))  # type: ignore[index]
    path = f"/notification-providers/{made['id']}"  # type: ignore[index]
    kept = cast.editor.put(path, made).json
    assert (kept["maxPerMinute"], kept["fallbackProviderId"]) == (5, str(other.id))  # type: ignore[index]
    bare = cast.editor.put(path, {"maxPerMinute": None, "fallbackProviderId": None}).json
    assert (bare["maxPerMinute"], bare["fallbackProviderId"]) == (None, None)  # type: ignore[index]


def test_nobody_stands_in_for_itself_in_a_circle_or_from_another_project(cast: Cast) -> None:
    first, second, third = (factories.a_provider(cast.project) for _ in range(3))
    foreign = factories.a_provider(cast.other_project)
    for one, fallback, status in (
        (first, first, 422),
        (first, foreign, 422),
        (first, second, 200),
        (second, third, 200),
        (third, first, 422),
        (second, first, 422),
    ):
        answer = cast.editor.put(f"/notification-providers/{one.id}", {"fallbackProviderId": str(fallback.id)})
        assert answer.status_code == status, answer.text
        if status == 422:
            assert "fallbackProviderId" in answer.json["error"]["fields"]  # type: ignore[index]


def test_a_deleted_fallback_is_nobodys_fallback_any_more(cast: Cast) -> None:
    other = factories.a_provider(cast.project)
    provider = factories.a_provider(cast.project, fallback_provider_id=other.id)
    assert cast.editor.delete(f"/notification-providers/{other.id}").status_code == 204
    shown = cast.viewer.get(f"/notification-providers/{provider.id}").json
    assert shown["fallbackProviderId"] is None  # type: ignore[index]


def test_health_counts_recent_deliveries(cast: Cast) -> None:
    provider, monitor = factories.a_provider(cast.project), factories.a_monitor(cast.project)
    now = datetime.now(UTC)
    made = [
        ("sent", timedelta(hours=1)),
        ("sent", timedelta(hours=2)),
        ("sent", timedelta(hours=3)),
        ("failed", timedelta(hours=4)),
        ("failed", timedelta(days=3)),
        ("sent", timedelta(days=8)),
        ("retrying", timedelta(hours=1)),
        ("pending", timedelta(seconds=1)),
    ]
    for number, (status, age) in enumerate(made):
        alert = factories.an_alert(monitor, provider, alert_number=number + 1)
        factories.changed(alert.deliveries[0], status=status, created_at=now - age)
    for shown in (
        cast.viewer.get(f"/notification-providers/{provider.id}").json,
        cast.viewer.get("/notification-providers").json["data"][0],  # type: ignore[index]
    ):
        health = shown["health"]  # type: ignore[index]
        assert health["lastDay"] == {"sent": 3, "failed": 1, "successRate": 75.0}
        assert health["lastWeek"] == {"sent": 3, "failed": 2, "successRate": 60.0}
        assert (health["waiting"], health["retrying"], health["broken"]) == (1, 1, False)
    unused = factories.a_provider(cast.project, name="Unused")
    health = cast.viewer.get(f"/notification-providers/{unused.id}").json["health"]  # type: ignore[index]
    assert health["lastDay"] == {"sent": 0, "failed": 0, "successRate": None}


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("ops@straße.example", "ops@straße.example"),
        ("ops@☕.example", "ops@☕.example"),
        ("ops@mail", "ops@mail"),
        ("ops@℀.example", None),
        ("ops@☕ x.example", None),
        ("a b@☕.example", None),
    ],
)
def test_mail_addresses_beyond_ascii_are_taken_by_the_rules_of_host_names(
    cast: Cast, address: str, kept: str | None
) -> None:
    config = {"to": [address], "from": "watch@example.org", "smtpHost": "127.0.0.1"}
    answer = cast.editor.post("/notification-providers", {"name": "Mail", "type": "email", "config": config})
    assert answer.status_code == (201 if kept else 422), answer.text
    if kept:
        assert answer.json["config"]["to"] == [kept]  # type: ignore[index]
