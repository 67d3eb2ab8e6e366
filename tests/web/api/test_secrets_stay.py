"""A stored secret goes nowhere else unless the caller who sends it there knows it."""

from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.secrets import encryption
from tests.conftest import SettingsOf
from tests.web.api.cast import Cast
from web.services import destinations

TOKEN, HEADER = "the-bearer-token-0123", "the-header-value-4567"
AGAIN = "Enter the secret again"


@pytest.fixture
def monitor(cast: Cast) -> dict[str, Any]:
    body = {
        "name": "Shop",
        "type": "http_request",
        "target": "https://127.0.0.1:8443/health",
        "config": {"auth": {"type": "bearer", "token": TOKEN}, "headers": {"X-Api-Key": HEADER, "Accept": "a/b"}},
    }
    made = cast.editor.post("/monitors", body).json
    assert made is not None
    return made


MOVES = [
    {"target": "http://127.0.0.1:8443/health"},
    {"target": "https://127.0.0.2:8443/health"},
    {"target": "https://127.0.0.1:8444/health"},
    {"target": "https://127.0.0.1/health"},
    {"config": {"verifyTls": False}},
]


@pytest.mark.parametrize("move", MOVES, ids=str)
@pytest.mark.parametrize("masked", [False, True], ids=["absent", "masked"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_monitor_that_is_moved_asks_for_its_secrets(
    cast: Cast, monitor: dict[str, Any], connection: psycopg.Connection[Any], move: Any, masked: bool, method: str
) -> None:
    config = {"auth": monitor["config"]["auth"], "headers": monitor["config"]["headers"]} if masked else {}
    body = {**move, "config": {**config, **move.get("config", {})}}
    answer = cast.editor.call(method, f"/monitors/{monitor['id']}", body)
    assert answer.status_code == 422
    fields = answer.json["error"]["fields"]  # type: ignore[index]
    assert {path for path, text in fields.items() if AGAIN in text} == {
        "config.auth.token",
        "config.headers.X-Api-Key",
    }
    assert connection.execute("SELECT target, version FROM monitors").fetchone() == (monitor["target"], 1)
    # With the secrets in the clear it is done.
    secrets = {"auth": {"type": "bearer", "token": TOKEN}, "headers": {"X-Api-Key": HEADER}}
    body = {**move, "config": {**secrets, **move.get("config", {})}}
    assert cast.editor.call(method, f"/monitors/{monitor['id']}", body).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"target": "https://127.0.0.1:8443/another/path?q=1"},
        {"target": "HTTPS://127.0.0.1:8443/health"},
        {"config": {"verifyTls": True}},
        {"config": {"maxRedirects": 3}},
        {"name": "Store"},
        {"target": "https://127.0.0.9:1/", "config": {"auth": None, "headers": {"X-Api-Key": None}}},
    ],
    ids=str,
)
def test_what_sends_no_secret_elsewhere_asks_for_none(cast: Cast, monitor: dict[str, Any], change: Any) -> None:
    assert cast.editor.patch(f"/monitors/{monitor['id']}", change).status_code == 200


PROVIDERS: list[tuple[str, dict[str, Any], dict[str, Any], set[str]]] = [
    (
        "webhook",
        {"url": "http://127.0.0.1:9/in", "secret": "the-signing-secret", "headers": {"X-A": "the-value-of-it"}},
        {"url": "http://127.0.0.2:9/in"},
        {"config.secret", "config.headers.X-A"},
    ),
    (
        "telegram",
        {"botToken": "123456:the-bot-token-of-it", "chatId": "1"},
        {"apiBase": "http://127.0.0.1:9/"},
        {"config.botToken"},
    ),
    *(
        (
            "email",
            {
                "to": ["a@example.test"],
                "from": "b@example.test",
                "smtpHost": "127.0.0.1",
                "smtpPort": 587,
                "username": "b",
                "password": "the-mail-password",
            },
            change,
            {"config.password"},
        )
        for change in ({"smtpHost": "127.0.0.2"}, {"smtpPort": 2525}, {"smtpSecurity": "none"}, {"smtpHost": None})
    ),
]


@pytest.mark.parametrize(
    ("kind", "config", "move", "asked"),
    PROVIDERS,
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value)[:40],
)
def test_a_provider_that_is_moved_asks_for_its_secrets(
    cast: Cast,
    connection: psycopg.Connection[Any],
    settings_of: SettingsOf,
    kind: str,
    config: Any,
    move: Any,
    asked: set[str],
) -> None:
    settings_of(smtp_host="mail.example.test")
    made = cast.editor.post("/notification-providers", {"name": "A", "type": kind, "config": config}).json
    assert made is not None, config
    path = f"/notification-providers/{made['id']}"
    masked = {**made["config"], **move}
    before = connection.execute("SELECT secrets FROM notification_providers").fetchone()
    for body in ({"config": move}, {"config": masked}):
        answer = cast.editor.patch(path, body)
        assert answer.status_code == 422
        fields = answer.json["error"]["fields"]  # type: ignore[index]
        assert {name for name, text in fields.items() if AGAIN in text} == asked
    assert connection.execute("SELECT secrets FROM notification_providers").fetchone() == before
    clear = {**move, **{name: value for name, value in config.items() if f"config.{name}" in asked}}
    if "headers" in config:
        clear["headers"] = config["headers"]
    assert cast.editor.patch(path, {"config": clear}).status_code == 200
    assert encryption.is_current(before[0]) if before else False


def test_a_default_that_is_written_out_is_no_move(cast: Cast) -> None:
    _, config, _, _ = PROVIDERS[2]
    made = cast.editor.post("/notification-providers", {"name": "A", "type": "email", "config": config}).json
    assert made is not None
    change = {"config": {"smtpSecurity": "starttls", "smtpPort": None}}
    assert cast.editor.patch(f"/notification-providers/{made['id']}", change).status_code == 200


ORIGINS = st.tuples(
    st.sampled_from(["http", "https"]), st.sampled_from(["a.test", "b.test"]), st.sampled_from([80, 443, 8080])
)


@given(ORIGINS, ORIGINS, st.booleans(), st.booleans(), st.text("ab/?=", max_size=6))
def test_a_destination_is_the_same_only_where_everything_that_counts_is(
    one: tuple[str, str, int], other: tuple[str, str, int], verify: bool, verify_other: bool, path: str
) -> None:
    def url(origin: tuple[str, str, int], tail: str) -> str:
        scheme, host, port = origin
        usual = {"http": 80, "https": 443}[scheme] == port
        return f"{scheme}://{host}{'' if usual else f':{port}'}/{tail}"

    first = destinations.of_monitor(url(one, path), {"verifyTls": verify})
    second = destinations.of_monitor(url(other, ""), {"verifyTls": verify_other})
    assert (first == second) is (one == other and verify == verify_other)
    assert destinations.of_provider({"url": url(one, path)}) == destinations.of_provider({"url": url(one, "")})


@pytest.mark.parametrize("api_base", ["https://api.telegram.org", "https://api.telegram.org:443/"])
def test_naming_the_server_that_was_meant_anyway_asks_for_no_secret(cast: Cast, api_base: str) -> None:
    config = {"botToken": "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ", "chatId": "1"}
    made = cast.editor.post("/notification-providers", {"name": "Bot", "type": "telegram", "config": config}).json
    assert made is not None
    path = f"/notification-providers/{made['id']}"
    assert cast.editor.patch(path, {"config": {"apiBase": api_base}}).status_code == 200
    assert cast.editor.patch(path, {"config": {"apiBase": "https://api.telegram.example"}}).status_code == 422
