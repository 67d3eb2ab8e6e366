"""An edit form that is sent back as a browser sends it untouched changes nothing, whatever the record holds."""

from collections.abc import Callable
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from channels import CHANNELS
from models.tables import Location, Project
from tests import factories
from tests.web.pages.visitor import Visitor, form_of
from web.http.extensions import db

#: Tables that a save may write into.
_TABLES = (
    "monitors",
    "monitor_notification_settings",
    "notification_providers",
    "maintenance_windows",
    "maintenance_window_monitors",
    "locations",
    "projects",
    "audit_events",
)
AGAIN = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
#: Everything that PostgreSQL can hold, often what a form might lose.
_lossy = st.sampled_from(
    ["\r\n", "\n", "\r", "\t", " ", "\\", "\\n", '"', "&#13;", "<", "\u2028", "\x85", "\x1b", "é", "\u200b"]
)
_letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.lists(st.one_of(_lossy, _letters), max_size=12).map("".join)
#: One line without control characters.
lines = texts.map(lambda text: "".join(letter for letter in text if ord(letter) >= 32 and ord(letter) != 127))
names = lines.map(lambda text: f"A{text}")
numbers = st.one_of(st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False))
plain_json = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)
headers = st.dictionaries(
    st.sampled_from(["Accept", "X-Api-Key", "X-Trace", "Authorization"]),
    lines.map(lambda text: f" {text} "),
    max_size=4,
)
_located = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.booleans(),
        "locations": st.permutations(["us-east", "eu-central", "ap-south"]).flatmap(
            lambda codes: st.integers(0, 3).map(lambda count: codes[:count])
        ),
        "strategy": st.sampled_from(["all", "any", "majority", "custom"]),
        "threshold": st.integers(1, 100),
    },
)
_auth = st.one_of(
    st.fixed_dictionaries({"type": st.just("basic"), "username": lines.map(lambda t: f" u{t.replace(':', '')} ")}),
    st.fixed_dictionaries({"type": st.just("bearer"), "token": lines.map(lambda t: f" token {t} ")}),
    st.just({"type": "none"}),
)
_http = {
    "method": st.sampled_from(["GET", "POST", "PATCH"]),
    "headers": headers,
    "body": texts,
    "expectedStatusCodes": st.sampled_from(["2xx", " 200 , 204 ", "200-299"]),
    "keywordInBody": texts,
    "keywordInBodyShouldBePresent": st.booleans(),
    "jsonPath": st.sampled_from(["$.a", "$['a b']", "$.a[0]"]),
    "jsonPathExpected": plain_json,
    "auth": _auth,
    "maxResponseTimeMs": st.integers(1, 300_000),
    "locationConfig": _located,
    "ipVersion": st.sampled_from(["auto", "4", "6"]),
}
_website = {name: one for name, one in _http.items() if name not in ("method", "headers", "body")}
_minutes = st.one_of(st.integers(1, 500_000), st.floats(1, 500_000))
CONFIGS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "http_request": st.fixed_dictionaries({}, optional=_http),
    "website": st.fixed_dictionaries({}, optional=_website),
    "ping_host": st.fixed_dictionaries(
        {}, optional={"maxPacketLossPercent": st.floats(0, 99.9), "locationConfig": _located}
    ),
    "port_check": st.fixed_dictionaries(
        {"port": st.integers(1, 65535)},
        optional={"send": texts, "expect": texts, "protocol": st.sampled_from(["tcp", "udp"])},
    ),
    "heartbeat": st.fixed_dictionaries(
        {},
        optional={
            "expectedIntervalMinutes": _minutes,
            "gracePeriodMinutes": _minutes.map(lambda value: value / 1000),
            "maxRunMinutes": _minutes,
            "expectKeyword": texts,
            "requireApiKey": st.booleans(),
        },
    ),
}
COMMON = st.fixed_dictionaries(
    {"name": names, "description": texts, "tags": st.lists(st.sampled_from(["a", "b c", "é"]), unique=True)},
    optional={
        "frequencyMinutes": st.sampled_from([1, 7, 1440, 90, 1.25, 61.05]),
        "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
        "alertConfig": st.fixed_dictionaries({"customMessage": texts}, optional={"alertOnFailure": st.booleans()}),
    },
)
_url = lines.map(lambda text: "http://127.0.0.1:9/" + "".join(t for t in text if t.isalnum()))
#: Channels without a strategy of their own have the URL of a webhook and nothing else.
PROVIDERS: dict[str, st.SearchStrategy[dict[str, Any]]] = dict.fromkeys(
    CHANNELS, st.fixed_dictionaries({"webhookUrl": _url})
) | {
    "email": st.fixed_dictionaries(
        {
            "to": st.just(["a@example.test", "b@example.test"]),
            "from": st.just("w@example.test"),
            "smtpHost": st.just("127.0.0.1"),
        },
        optional={"username": names, "password": texts},
    ),
    "webhook": st.fixed_dictionaries(
        {"url": _url.map(lambda url: f"{url}?key=abcdefghij")},
        optional={"secret": texts.map(lambda text: f"s{text}"), "headers": headers, "method": st.just("PUT")},
    ),
    "telegram": st.fixed_dictionaries({"botToken": st.just("123:abcdefghijkl"), "chatId": st.integers()}),
    "apprise": st.fixed_dictionaries({"url": lines.map(lambda text: f"json://127.0.0.1:9/{text}")}),
}


@pytest.fixture
def keeper(visitor: Callable[..., Visitor]) -> Visitor:
    """A user who may open every form."""
    factories.a_location("ap-south", "Mumbai", position=2, enabled=False)
    return visitor("org_owner")


Create = Callable[[str, dict[str, Any]], str | None]


@pytest.fixture
def create(app: Flask, project: Project) -> Create:
    """Make a record with the API. The id; None if the rules refuse it: then there is no form to open."""
    client, key = app.test_client(), factories.an_api_key(project)

    def post(path: str, data: dict[str, Any]) -> str | None:
        headers = {"Authorization": f"Bearer {key}"}
        answer = Context().run(client.open, f"/api/{path}", method="POST", json=data, headers=headers)
        assert answer.status_code in (201, 422), answer.text
        return None if answer.status_code == 422 else answer.get_json()["id"]

    return post


def contents(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Every row of the tables, byte for byte."""
    return {
        table: [row[0] for row in connection.execute(f"SELECT t::text FROM {table} t ORDER BY 1")] for table in _TABLES
    }


def send_untouched(someone: Visitor, path: str, action: str) -> None:
    answer = someone.open(path, "POST", form_of(someone.get(path), action))
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_monitors_form(
    keeper: Visitor, create: Create, project: Project, connection: psycopg.Connection[Any], kind: str
) -> None:
    used = [factories.a_provider(project, name=name) for name in ("B", "A")]

    accepted: list[str] = []

    @AGAIN
    @given(config=CONFIGS[kind], common=COMMON)
    def untouched(config: dict[str, Any], common: dict[str, Any]) -> None:
        target = {"http_request": "http://127.0.0.1:9/", "website": "https://127.0.0.1:9/", "heartbeat": ""}
        alerts = {**common.get("alertConfig", {}), "notificationProviders": [str(one.id) for one in used]}
        data = {
            **common,
            "type": kind,
            "target": target.get(kind, "127.0.0.1"),
            "config": config,
            "alertConfig": alerts,
        }
        made = create("monitors", data)
        event("saved" if made else "refused")
        if made is None:
            return
        accepted.append(made)
        before = contents(connection)
        send_untouched(keeper, f"/monitors/{made}/edit", f"/monitors/{made}/edit")
        assert contents(connection) == before

    untouched()
    assert len(accepted) > 5, "nearly everything was refused: this shows nothing"


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_providers_form(keeper: Visitor, create: Create, connection: psycopg.Connection[Any], kind: str) -> None:
    accepted: list[str] = []

    @AGAIN
    @given(name=names, config=PROVIDERS[kind], limit=st.none() | st.integers(1, 6000))
    def untouched(name: str, config: dict[str, Any], limit: int | None) -> None:
        data = {"name": name, "type": kind, "config": config, "maxPerMinute": limit}
        made = create("notification-providers", data)
        event("saved" if made else "refused")
        if made is None:
            return
        accepted.append(made)
        before = contents(connection)
        path = f"/notification-providers/{made}"
        send_untouched(keeper, path, path)
        assert contents(connection) == before

    untouched()
    assert len(accepted) > 5, "nearly everything was refused: this shows nothing"


def test_a_windows_form(keeper: Visitor, create: Create, project: Project, connection: psycopg.Connection[Any]) -> None:
    monitor = factories.a_monitor(project, tags=["a"])
    soon = datetime.now(UTC) + timedelta(hours=1)
    ids = [
        str(monitor.id),
        *(str(factories.a_monitor(project, name=name).id) for name in ("Twin", "Twin", " Odd  name")),
    ]
    lists = st.lists(st.sampled_from(ids), max_size=4).map(lambda chosen: {"monitorIds": chosen})
    scopes = st.sampled_from([{}, {"tag": "a"}, {"tag": "gone"}, {"monitorId": str(monitor.id)}]) | lists
    begins = st.floats(0, 10**7).map(lambda seconds: {"startsAt": (soon + timedelta(seconds=seconds)).isoformat()})
    crons = st.sampled_from(["0 3 * * 0", "*/5  8-18 * * 1-5", "30 2 * * *"]).map(lambda text: {"cronExpression": text})

    accepted: list[str] = []

    @AGAIN
    @given(
        name=names,
        when=begins | crons,
        scope=scopes,
        zone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
        minutes=st.integers(1, 30 * 24 * 60),
        enabled=st.booleans(),
    )
    def untouched(name: str, when: Any, scope: Any, zone: str, minutes: int, enabled: bool) -> None:
        data = {"name": name, "timezone": zone, "durationMinutes": minutes, "enabled": enabled, **when, **scope}
        made = create("maintenance-windows", data)
        event("saved" if made else "refused")
        if made is None:
            return
        accepted.append(made)
        before = contents(connection)
        answer = keeper.submit(f"/maintenance/{made}")
        assert answer.status_code == 303, answer.text
        assert contents(connection) == before

    untouched()
    assert len(accepted) > 5, "nearly everything was refused: this shows nothing"


def test_a_broken_provider_stays_broken(keeper: Visitor, project: Project, connection: psycopg.Connection[Any]) -> None:
    path = f"/notification-providers/{factories.a_provider(project, broken=True).id}"
    before = contents(connection)
    send_untouched(keeper, path, path)
    assert contents(connection) == before
    assert "Nothing was changed." in keeper.get("/notification-providers")


def test_a_window_that_is_over_stays_as_it_is(
    keeper: Visitor, project: Project, connection: psycopg.Connection[Any]
) -> None:
    now = datetime.now(UTC)
    window = factories.a_window(project, now - timedelta(hours=3), now - timedelta(hours=2))
    before = contents(connection)
    assert keeper.submit(f"/maintenance/{window.id}").status_code == 303
    assert contents(connection) == before


@pytest.mark.parametrize("name", ["Ashburn", " Ash  burn ", "Two\nlines", "A\r\nB"])
def test_the_names_of_locations_and_projects(
    keeper: Visitor, project: Project, connection: psycopg.Connection[Any], name: str
) -> None:
    location = db.session.get(Location, "us-east")
    assert location is not None
    factories.changed(location, name=name)
    factories.changed(db.session.merge(project), name=name)
    before = contents(connection)
    send_renaming(keeper, "/locations", "/locations/us-east/rename")
    send_renaming(keeper, "/settings/projects", f"/settings/projects/{project.id}/rename")
    assert contents(connection) == before


def send_renaming(someone: Visitor, page: str, action: str) -> None:
    assert someone.open(action, "POST", form_of(someone.get(page), action)).status_code == 303


def test_every_type_has_its_form_here() -> None:
    from web.features.monitors import forms as monitor
    from web.features.notification_providers import forms as provider

    assert set(monitor.TYPES) == set(CONFIGS)
    assert set(provider.TYPES) == set(PROVIDERS)
