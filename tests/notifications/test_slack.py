"""The Slack channel against a local service that checks what it gets as Slack documents it."""

import json
import re
from typing import Any

import pytest

from notifications import slack
from notifications.notice import Notice
from tests.notifications.notices import flood, hostile, outage, recovery
from tests.notifications.service import Service
from tests.notifications.shape import validate


def _text(kind: str, limit: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "type": {"const": kind},
            "text": {"type": "string", "minLength": 1, "maxLength": limit},
            "emoji": {"type": "boolean"},
            "verbatim": {"type": "boolean"},
        },
        "required": ["type", "text"],
        "additionalProperties": False,
    }


def _block(kind: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"type": {"const": kind}, **properties},
        "required": ["type"],
        "minProperties": 2,
        "additionalProperties": False,
    }


SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 40000},
        "mrkdwn": {"type": "boolean"},
        "unfurl_links": {"const": False},
        "unfurl_media": {"const": False},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "color": {"pattern": "^#[0-9a-f]{6}$"},
                    "fallback": {"type": "string"},
                    "blocks": {
                        "type": "array",
                        "minItems": 2,
                        "maxItems": 50,
                        "items": {
                            "oneOf": [
                                _block("header", text=_text("plain_text", 150)),
                                _block(
                                    "section",
                                    text=_text("plain_text", 3000),
                                    fields={"type": "array", "maxItems": 10, "items": _text("plain_text", 2000)},
                                ),
                                _block(
                                    "context",
                                    elements={"type": "array", "maxItems": 10, "items": _text("mrkdwn", 3000)},
                                ),
                            ]
                        },
                    },
                },
                "required": ["color", "blocks", "fallback"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["text", "attachments"],
    "additionalProperties": False,
}


def _sent(service: Service, notice: Notice) -> str:
    slack.send(notice, {"webhookUrl": service.url("/services/T0/B0/XXXX")})
    request = service.requests[-1]
    validate(json.loads(request.body), SCHEMA)
    assert request.headers["Content-Type"].startswith("application/json")
    assert (request.method, request.path) == ("POST", "/services/T0/B0/XXXX")
    return json.dumps(json.loads(request.body), ensure_ascii=False)


@pytest.mark.parametrize("notice", [outage(), recovery(), outage(event="test", locations=(), custom_message="")])
def test_messages_have_the_shape_that_slack_documents(service: Service, notice: Notice) -> None:
    _sent(service, notice)


def test_a_message_says_what_since_when_why_and_from_where(service: Service) -> None:
    text = _sent(service, outage())
    for part in (
        "🔴 Shop front is down",
        "503, expected was 200-299",
        "Since: 2026-03-01 12:24:53 UTC",
        "For: 5 minutes 12 seconds",
        "Code: UNEXPECTED_STATUS",
        "Response time: 1,234 ms",
        "Alert: 2 of 3",
        "us-east: down, 1,234 ms, 503 Service Unavailable",
        "Call the shop team.",
        "Web shop",
        "<https://watch.example/monitors/11111111-1111-4111-8111-111111111111|Open the monitor>",
    ):
        assert part in text


@pytest.mark.parametrize("length", [1, 100])
def test_hostile_texts_are_neither_markup_nor_too_long(service: Service, length: int) -> None:
    text = _sent(service, hostile(length))
    assert re.findall(r"<[^>]*>", text) == [
        "<https://watch.example/monitors/11111111-1111-4111-8111-111111111111|Open the monitor>"
    ]
    assert "\\u0000" not in text
    assert "\u202e" not in text


def test_a_summary_fills_sections_and_counts_the_rest(service: Service) -> None:
    text = _sent(service, flood(500, " <&>"))
    assert "🔴 Web shop: 250 down, 250 up again" in text
    assert "Node 0 &lt;&amp;&gt; is down (2026-03-01 12:29:35 UTC): The connection was refused." in text
    assert "and " + str(500 - text.count("Node ")) + " more" in text
    assert "<https://watch.example/|Open the dashboard>" in text


def test_all_facts_are_told_though_a_section_takes_but_ten(service: Service) -> None:
    timings = {"dnsMs": 12.0, "connectMs": 20.0, "tlsMs": 0.0, "firstByteMs": 1200.0}
    text = _sent(service, outage(status_code=503, timings=timings, incident_url="https://watch.example/incidents/7"))
    for part in (
        "Status code: 503",
        "Phases: DNS 12 ms, connect 20 ms, first byte 1,200 ms",
        "Project: Web shop",
        "<https://watch.example/incidents/7|Open the incident>",
    ):
        assert part in text
