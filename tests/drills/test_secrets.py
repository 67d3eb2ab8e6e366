"""Secrets stay secret: they are planted everywhere, everything fails in every way, and everything is searched for them."""

import base64
import contextlib
import os
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests

from models.secrets import encryption
from tests import system
from tests.conftest import SettingsOf
from tests.drills import echo, surfaces
from tests.drills.leak_markers import LeakMarkers
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(240)]

Api = system.Api
SEALED = ("monitors", "notification_providers", "variables")
LISTS = (
    "monitors",
    "alerts",
    "notification-providers",
    "locations",
    "schedules",
    "projects",
    "members",
    "api-keys",
    "tags",
    "openapi.json",
)


def basic(password: str) -> dict[str, str]:
    return {"type": "basic", "username": "someone", "password": password}


def targets(web: echo.Echo, new: Any) -> Iterator[dict[str, Any]]:
    """Monitors whose targets fail in every way and say back what they received."""
    refused = f"http://127.0.0.1:{system.free_port()}/"
    for name, url, config in (
        ("status", web.url("/500/a"), {"auth": basic(new("basic, status"))}),
        ("keyword", web.url("/200/a"), {"auth": basic(new("basic, keyword")), "keywordInBody": "nowhere to be found"}),
        (
            "json",
            web.url("/json"),
            {
                "auth": {"type": "bearer", "token": new("bearer, json")},
                "jsonPath": "$.headers",
                "jsonPathExpected": "other",
            },
        ),
        ("redirect", web.url("/onward"), {"headers": {"X-Api-Key": new("header, redirect"), "Cookie": new("cookie")}}),
        (
            "post",
            web.url("/500/b"),
            {"method": "POST", "body": "{}", "headers": {"Authorization": new("header, post")}},
        ),
        ("refused", refused, {"auth": basic(new("basic, refused"))}),
        ("tls", web.url("/500/c", "https"), {"auth": basic(new("basic, tls"))}),
        ("hang", web.url("/hang"), {"auth": basic(new("basic, hang")), "timeoutSeconds": 5}),
    ):
        yield {"name": name, "type": "http_request", "target": url, "config": config, "frequencyMinutes": 0.1}
    site = {"auth": basic(new("basic, website"))}
    yield {"name": "site", "type": "website", "target": web.url("/403/d"), "config": site, "frequencyMinutes": 0.1}


def channels(web: echo.Echo, mail: echo.Echo, new: Any) -> Iterator[dict[str, Any]]:
    """Providers of every type, all of which fail and say back what they received."""
    refused = f"127.0.0.1:{system.free_port()}"
    port = web.port
    for name, kind, config in (
        (
            "hook",
            "webhook",
            {
                "url": web.url(f"/404/hook?key={new('webhook query')}", login=f"me:{new('webhook login')}"),
                "headers": {"X-Token": new("webhook header")},
                "secret": new("webhook secret"),
            },
        ),
        ("hook 500", "webhook", {"url": web.url("/500/hook"), "headers": {"X-Any": new("webhook 500")}}),
        ("hook refused", "webhook", {"url": f"http://{refused}/?key={new('webhook refused')}"}),
        ("hook tls", "webhook", {"url": web.url(f"/404/?key={new('webhook tls')}", "https")}),
        ("slack", "slack", {"webhookUrl": web.url(f"/404/services/{new('slack')}")}),
        ("discord", "discord", {"webhookUrl": web.url(f"/500/api/webhooks/1/{new('discord')}")}),
        ("teams", "teams", {"webhookUrl": web.url(f"/404/workflows/{new('teams')}")}),
        (
            "telegram",
            "telegram",
            {"botToken": f"123456:{new('telegram')}", "chatId": "1", "apiBase": web.url("/404")},
        ),
        (
            "apprise",
            "apprise",
            {"url": f"json://me:{new('apprise login')}@127.0.0.1:{port}/404/{new('apprise path')}"},
        ),
        (
            "mail",
            "email",
            {
                "to": ["a@example.test"],
                "smtpHost": "127.0.0.1",
                "smtpPort": mail.port,
                "smtpSecurity": "none",
                "username": "someone",
                "password": new("smtp password"),
                "from": "b@example.test",
            },
        ),
        ("installation's mail", "email", {"to": ["a@example.test"]}),
    ):
        yield {"name": name, "type": kind, "config": config}


def plant_variable(it: system.System, project: str, secret: str) -> None:
    row_id = uuid4()
    with it.database() as db:
        db.execute(
            "INSERT INTO variables (id, project_id, name, secrets) VALUES (%s, %s, 'TOKEN', %s)",
            [row_id, project, encryption.encrypt({"value": secret}, "variables", row_id)],
        )


def sealed_texts(it: system.System) -> str:
    """What the sealed columns hold, opened."""
    found = []
    with it.database() as db:
        for table in SEALED:
            for row_id, sealed in db.execute(f"SELECT id, secrets FROM {table}").fetchall():
                found.append(str(encryption.decrypt(sealed, table, row_id)))
    return "\n".join(found)


def every_attempt_failed(it: system.System, providers: list[str]) -> bool:
    with it.database() as db:
        row = db.execute(
            "SELECT count(DISTINCT provider_id) FROM deliveries WHERE provider_id = ANY(%s) AND error IS NOT NULL",
            [[UUID(one) for one in providers]],
        ).fetchone()
    return row == (len(providers),)


def everyone_is_down(it: system.System, monitors: list[str]) -> bool:
    with it.database() as db:
        row = db.execute(
            "SELECT count(DISTINCT monitor_id) FROM monitor_results WHERE monitor_id = ANY(%s) AND status = 'down'",
            [[UUID(one) for one in monitors]],
        ).fetchone()
    return row == (len(monitors),)


def answers(api: Api, monitors: list[str], providers: list[str]) -> Iterator[tuple[str, str]]:
    """(path, text) of every answer of the API; wrong requests among them, which carry secrets of their own."""
    paths = [f"/api/{name}" for name in LISTS]
    paths += [
        f"/api/monitors/{one}{more}" for one in monitors for more in ("", "/results", "/stats", "/location-stats")
    ]
    paths += [f"/api/notification-providers/{one}" for one in providers]
    for path in paths:
        yield path, api.get(api.url + path, params={"limit": "100"} if "." not in path else None, timeout=20).text


def mistakes(api: Api, secret: str) -> Iterator[tuple[str, str]]:
    """(what, answer) of requests that are wrong and hold `secret`."""
    hook = {"name": "x", "type": "slack", "config": {"webhookUrl": f"ftp://{secret}"}}
    monitor = {
        "name": "x",
        "type": "http_request",
        "target": "http://127.0.0.1/",
        "config": {"auth": {"token": [secret]}},
    }
    typed = {"name": "x", "type": "http_request", "target": f"http://me:{secret}@127.0.0.1/"}
    bad_header = {**monitor, "config": {"headers": {"X-Api-Key": f"{secret}\r\nX: y"}}}
    for path, body in (
        ("notification-providers", hook),
        ("monitors", monitor),
        ("monitors", typed),
        ("monitors", bad_header),
    ):
        answer = api.post(f"{api.url}/api/{path}", json=body, timeout=20)
        assert answer.status_code == 422, answer.text
        yield f"wrong {path}", answer.text
    torn = api.post(
        f"{api.url}/api/monitors",
        data=f'{{"password": "{secret}',
        headers={"Content-Type": "application/json"},
        timeout=20,
    )
    assert torn.status_code == 400
    yield "torn", torn.text
    stranger = requests.get(f"{api.url}/api/monitors", headers={"Authorization": f"Bearer {secret}"}, timeout=20)
    assert stranger.status_code == 401
    yield "stranger", stranger.text


def test_no_secret_leaves_its_sealed_column(settings_of: SettingsOf) -> None:
    leak_markers = LeakMarkers()
    key = os.urandom(16)
    settings_of(encryption_keys=(key,))
    encoded = leak_markers.add("encryption key", base64.b64encode(key).decode())
    leak_markers.add("API key", system.API_KEY)
    leak_markers.add("administrator's password", system.ENVIRONMENT["SUPERCHECK_ADMIN_PASSWORD"])
    with contextlib.ExitStack() as stack:
        web, mail = stack.enter_context(echo.web()), stack.enter_context(echo.mail())
        it = stack.enter_context(
            system.running(
                LOG_LEVEL="DEBUG",
                CREDENTIAL_ENCRYPTION_KEY=encoded,
                SECRET_KEY=leak_markers.new("secret key"),
                METRICS_TOKEN=leak_markers.new("metrics token"),
                SMTP_HOST="127.0.0.1",
                SMTP_PORT=str(mail.port),
                SMTP_SECURITY="none",
                SMTP_USERNAME="operator",
                SMTP_PASSWORD=leak_markers.new("SMTP_PASSWORD"),
                SMTP_FROM="c@example.test",
            )
        )
        api, heard = stack.enter_context(it.api()), stack.enter_context(surfaces.commands(it))
        shown = story(it, api, web, mail, leak_markers)
        leaks = dict(search(it, leak_markers, shown, heard))
    assert not leaks, "\n".join(f"{where}: {what}" for where, what in leaks.items())


def story(
    it: system.System, api: Api, web: echo.Echo, mail: echo.Echo, leak_markers: LeakMarkers
) -> list[tuple[str, str]]:
    """Plant, let everything fail, try everything out; return all that was shown during that time."""
    providers = [api.make("/api/notification-providers", one) for one in channels(web, mail, leak_markers.new)]
    alerts = {"notificationProviders": providers}
    monitors = [api.make("/api/monitors", {**one, "alertConfig": alerts}) for one in targets(web, leak_markers.new)]
    heartbeat = api.call("POST", "/api/monitors", {"name": "beat", "type": "heartbeat", "alertConfig": alerts})
    token = leak_markers.add("heartbeat token", heartbeat["heartbeatUrl"].rpartition("/")[2])
    plant_variable(it, api.call("GET", "/api/projects")["data"][0]["id"], leak_markers.new("variable"))
    planted = leak_markers.found(sealed_texts(it))

    # Everything that was to be sealed is, and the outside world received only what it was meant to receive
    until(lambda: everyone_is_down(it, monitors), within=60, what="a failed check of every monitor")
    until(lambda: every_attempt_failed(it, providers), within=60, what="a failed delivery to every provider")
    received = leak_markers.found("\n".join(web.received + mail.received))
    assert planted == set(leak_markers.texts) - {
        "encryption key",
        "API key",
        "administrator's password",
        "secret key",
        "metrics token",
        "SMTP_PASSWORD",
    }
    untold = {name for name in planted if name.endswith(("refused", "tls"))}
    assert received >= (planted | {"SMTP_PASSWORD"}) - untold - {"heartbeat token", "variable", "webhook secret"}

    shown = [
        (f"test of {one}", api.post(f"{it.url}/api/notification-providers/{one}/test", timeout=60).text)
        for one in providers
    ]
    shown += [
        (f"ping{suffix}", requests.post(f"{it.url}/api/heartbeat/{token}{suffix}", timeout=10).text)
        for suffix in ("", "/fail", "/start", "/log", "/7", "/nonsense", "?rid=no")
    ]
    for path in ("monitors", "notification-providers"):
        for one in monitors if path == "monitors" else providers:
            api.call("PATCH", f"/api/{path}/{one}", {"name": "renamed"})
    shown += mistakes(api, leak_markers.new("mistake"))
    shown += answers(api, [*monitors, heartbeat["id"]], providers)
    shown += surfaces.pages(it)
    bearer = {"Authorization": f"Bearer {leak_markers.texts['metrics token']}"}
    shown.append(("metrics", requests.get(f"{it.url}/metrics", headers=bearer, timeout=10).text))
    return [(where, _without_own_url(text, token)) for where, text in shown]


def _without_own_url(text: str, token: str) -> str:
    """`text` without a heartbeat's URL: those who may edit the monitor are meant to see it."""
    return text.replace(f"/api/heartbeat/{token}", "/api/heartbeat/…")


def search(
    it: system.System, leak_markers: LeakMarkers, shown: list[tuple[str, str]], heard: list[str]
) -> Iterator[tuple[str, str]]:
    """(where, which and its surroundings) of every marker that is where it should not be."""
    assert len(shown) > 80
    assert len(heard) > 1000
    everything = [
        *shown,
        ("Redis' commands", "\n".join(heard)),
        *surfaces.keys(it),
        *surfaces.tables(it),
        *surfaces.command_lines(it),
        ("the logs", it.said()),
    ]
    for where, text in everything:
        for name in leak_markers.found(text):
            yield where, f"{name}: {leak_markers.context(name, text)}"
    for where, data in surfaces.files(it):
        for name in leak_markers.found(data):
            yield where, name
