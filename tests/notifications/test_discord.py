"""The Discord channel against a local service that checks what it gets as Discord documents it."""

import json
import re
from typing import Any

import pytest

from notifications import discord
from notifications.notice import Notice
from notifications.plain import units
from tests.notifications.notices import flood, hostile, outage, recovery
from tests.notifications.service import Service
from tests.notifications.shape import closed, validate


def _text(limit: int, least: int = 1) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": limit}


SCHEMA = closed(
    {
        "embeds": {
            "type": "array",
            "minItems": 1,
            "maxItems": 10,
            "items": closed(
                {
                    "title": _text(256),
                    "description": _text(4096, 0),
                    "color": {"type": "integer", "minimum": 0, "maximum": 0xFFFFFF},
                    "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$"},
                    "fields": {
                        "type": "array",
                        "maxItems": 25,
                        "items": closed({"name": _text(256), "value": _text(1024), "inline": {"type": "boolean"}}),
                    },
                }
            ),
        },
        "allowed_mentions": closed({"parse": {"const": []}}),
    }
)


def check(payload: dict[str, Any]) -> dict[str, Any]:
    """The embed of `payload`, which Discord would take."""
    validate(payload, SCHEMA)
    embed: dict[str, Any] = payload["embeds"][0]
    texts = [embed["title"], embed["description"]]
    texts += [part for field in embed["fields"] for part in (field["name"], field["value"])]
    assert units(embed["title"]) <= 256
    assert units(embed["description"]) <= 4096
    assert all(units(field["value"]) <= 1024 for field in embed["fields"])
    assert sum(map(units, texts)) <= 6000
    return embed


def _sent(service: Service, notice: Notice) -> dict[str, Any]:
    discord.send(notice, {"webhookUrl": service.url("/api/webhooks/1/token")})
    return check(json.loads(service.requests[-1].body))


@pytest.mark.parametrize("notice", [outage(), recovery(), outage(event="test", locations=(), custom_message="")])
def test_messages_have_the_shape_that_discord_documents(service: Service, notice: Notice) -> None:
    _sent(service, notice)


def test_a_message_says_what_since_when_why_and_from_where(service: Service) -> None:
    embed = _sent(service, outage())
    fields = {field["name"]: field["value"].replace("\\", "") for field in embed["fields"]}
    assert embed["title"] == "🔴 Shop front is down"
    assert fields["For"] == "5 minutes 12 seconds"
    assert fields["From"].startswith("us-east: down, 1,234 ms, 503 Service Unavailable\neu-central: up")
    assert fields["Open the monitor"] == "https://watch.example/monitors/11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize("length", [1, 100])
def test_hostile_texts_are_neither_markup_nor_too_long(service: Service, length: int) -> None:
    embed = _sent(service, hostile(length))
    texts = [embed["title"], embed["description"], *(field["value"] for field in embed["fields"][:-1])]
    for text in texts:
        assert not re.search(r"(?<!\\)(?:\\\\)*[*_~`|<>@\[\]]", text.replace("\n", ""))


def test_a_text_of_nothing_but_markup_still_fits(service: Service) -> None:
    text = "*" * 5000
    monitor = hostile().monitor
    _sent(service, outage(monitor=type(monitor)(monitor.id, text, text, text, monitor.url), reason=text, project=text))


def test_a_certificates_headline_of_nothing_but_markup_still_fits(service: Service) -> None:
    monitor = hostile().monitor
    name = "*" * 500
    embed = _sent(
        service,
        outage(
            event="monitor.ssl_expiring",
            error_code="CERTIFICATE_EXPIRED",
            monitor=type(monitor)(monitor.id, name, "", "", monitor.url),
        ),
    )
    assert embed["title"].endswith("…")
    assert not embed["title"].endswith("\\…")


def test_a_summary_lists_what_fits_and_counts_the_rest(service: Service) -> None:
    embed = _sent(service, flood(500))
    text = embed["description"].replace("\\", "")
    assert embed["title"].replace("\\", "") == "🔴 Web shop: 250 down, 250 up again"
    assert f"and {500 - text.count('Node ')} more" in text
    assert {field["name"]: field["value"] for field in embed["fields"]}[
        "Open the dashboard"
    ] == "https://watch.example/"
