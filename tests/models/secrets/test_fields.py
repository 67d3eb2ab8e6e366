"""Secrets taken out of configs, shown masked, kept, and put back."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.secrets import fields

QUICK = settings(deadline=None, max_examples=150)
texts = st.text(min_size=1, max_size=30)
header_names = st.one_of(
    st.sampled_from(["Authorization", "X-Api-Key", "Cookie", "Accept", "X.Y-Token", "User-Agent", "X-Session.Id"]),
    st.from_regex(r"[A-Za-z][A-Za-z0-9.-]{0,15}", fullmatch=True),
)
monitor_configs = st.fixed_dictionaries(
    {},
    optional={
        "auth": st.fixed_dictionaries(
            {}, optional={"type": texts, "username": texts, "password": texts, "token": texts}
        ),
        "headers": st.dictionaries(header_names, texts, max_size=5),
        "method": st.sampled_from(["GET", "POST"]),
        "timeoutSeconds": st.integers(5, 300),
    },
)
provider_configs = st.fixed_dictionaries(
    {},
    optional={
        "headers": st.dictionaries(header_names, texts, max_size=4),
        "secret": texts,
        "url": st.sampled_from(
            ["https://hook.example/a?key=0123456789", "https://user:pass-word@hook.example/x", "https://hook.example/"]
        ),
    },
)


@QUICK
@given(monitor_configs)
def test_what_was_split_off_a_monitors_config_joins_to_the_same_config(config: dict[str, Any]) -> None:
    before = json.dumps(config, sort_keys=True)
    public, hidden = fields.split("monitor", config)
    assert fields.join(public, hidden) == config
    assert json.dumps(config, sort_keys=True) == before, "splitting must not change what it was given"


@QUICK
@given(provider_configs)
def test_what_was_split_off_a_providers_config_joins_to_the_same_config(config: dict[str, Any]) -> None:
    public, hidden = fields.split("webhook", config)
    assert fields.join(public, hidden) == config


@QUICK
@given(monitor_configs)
def test_a_masked_config_sent_back_leaves_every_secret_as_it_was(config: dict[str, Any]) -> None:
    public, hidden = fields.split("monitor", config)
    assert fields.keep_masked("monitor", public, hidden) == config


@QUICK
@given(provider_configs)
def test_a_masked_provider_sent_back_leaves_every_secret_as_it_was(config: dict[str, Any]) -> None:
    public, hidden = fields.split("webhook", config)
    assert fields.keep_masked("webhook", public, hidden) == config


def test_a_new_secret_replaces_the_old_one() -> None:
    public, hidden = fields.split("monitor", {"auth": {"type": "bearer", "token": "the old token"}})
    public["auth"]["token"] = "the new token"
    assert fields.keep_masked("monitor", public, hidden)["auth"]["token"] == "the new token"


@QUICK
@given(texts)
def test_a_mask_shows_at_most_two_characters_at_each_end(value: str) -> None:
    shown = fields.mask(value)
    assert shown == ("…" if len(value) < 8 else f"{value[:2]}…{value[-2:]}")


@pytest.mark.parametrize(
    ("kind", "config", "paths"),
    [
        ("monitor", {"auth": {"username": "me", "password": "pw"}, "headers": {"Accept": "x"}}, ["auth.password"]),
        ("monitor", {"auth": {"token": "t"}}, ["auth.token"]),
        (
            "monitor",
            {"headers": {"Ocp-Apim-Subscription-Key": "k", "Private-Key": "p", "X-Passwort": "w", "Accept": "x"}},
            ["headers.Ocp-Apim-Subscription-Key", "headers.Private-Key", "headers.X-Passwort"],
        ),
        (
            "monitor",
            {"headers": {"X-Api-Key": "k", "accept": "x", "cookie": "c"}},
            ["headers.X-Api-Key", "headers.cookie"],
        ),
        (
            "monitor",
            {"headers": {"PROXY-AUTHORIZATION": "k", "X-Signature": "s"}},
            ["headers.PROXY-AUTHORIZATION", "headers.X-Signature"],
        ),
        ("slack", {"webhookUrl": "https://hooks.example/T/B/secret"}, ["webhookUrl"]),
        (
            "webhook",
            {"url": "https://e.example/", "secret": "s", "headers": {"Accept": "x"}},
            ["secret", "url", "headers.Accept"],
        ),
        ("email", {"to": ["me@example.com"], "password": "pw", "username": "u"}, ["password"]),
        ("telegram", {"botToken": "1:2", "chatId": "3"}, ["botToken"]),
        ("discord", {"webhookUrl": "https://d.example/x"}, ["webhookUrl"]),
        ("teams", {"webhookUrl": "https://t.example/x"}, ["webhookUrl"]),
        ("apprise", {"url": "ntfy://user:pass@host/topic"}, ["url"]),
        ("monitor", {"auth": {"password": ""}, "headers": {"Cookie": ""}}, []),
        ("monitor", {"auth": None, "headers": None}, []),
    ],
)
def test_the_secret_fields_are_those_of_the_contract(kind: str, config: dict[str, Any], paths: list[str]) -> None:
    assert list(fields.secret_paths(kind, config)) == paths


def test_a_webhooks_url_stays_recognisable_without_its_query_and_user() -> None:
    public, _ = fields.split("webhook", {"url": "https://someone:password@hook.example:8443/in?token=0123456789abc"})
    assert public["url"].startswith("https://so…rd@hook.example:8443/in?")
    assert "password" not in public["url"]
    assert "0123456789" not in public["url"]


def test_a_secret_whose_place_is_gone_is_passed_over() -> None:
    assert fields.join({"headers": {"Accept": "x"}}, {"headers.X-Api-Key": "k", "auth.token": "t"}) == {
        "headers": {"Accept": "x"}
    }


CREDENTIALS = [
    "Authorization",
    "Proxy-Authorization",
    "X-Api-Key",
    "Api_Key",
    "Cookie",
    "X-Auth-Token",
    "X-Session-Id",
    "X-JWT-Assertion",
    "X-PIN",
    "X-Access-Code",
    "X-Passcode",
    "X-Pwd",
    "Pass",
    "X-OTP",
    "X-CSRF",
    "Sig",
    "X-Hub-Signature",
    "SAMLResponse",
    "X-Security-Code",
    "AccessCode",
    "X-SID",
    "X-Bearer",
]
OTHERS = [
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Cache-Control",
    "User-Agent",
    "X-Request-Id",
    "X-Country-Codes",
    "X-Pinned",
    "Server",
    "Date",
    "Origin",
    "Access-Control-Allow-Origin",
    "X-Forwarded-For",
    "Referer",
    "X-Compass",
    "Host",
    "Etag",
    "Via",
    "Status",
]


@pytest.mark.parametrize("name", [*CREDENTIALS, *(name.lower() for name in CREDENTIALS)])
def test_headers_that_hold_credentials_are_kept_secret(name: str) -> None:
    public, found = fields.split("monitor", {"headers": {name: "a value of it"}})
    assert found == {f"headers.{name}": "a value of it"}
    assert "a value of it" not in str(public)


@pytest.mark.parametrize("name", OTHERS)
def test_other_headers_stay_readable(name: str) -> None:
    assert fields.split("monitor", {"headers": {name: "a value"}})[1] == {}
