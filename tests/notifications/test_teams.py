"""The Teams channel against a local service that checks what it gets as adaptive cards are documented."""

import json
from typing import Any

import pytest

from notifications import NotificationError, teams
from notifications.notice import Notice
from tests.notifications.notices import flood, hostile, outage, recovery
from tests.notifications.service import Answer, Service
from tests.notifications.shape import closed, validate

_RUN = closed(
    {
        "type": {"const": "TextRun"},
        "text": {"type": "string", "minLength": 1},
        "weight": {"enum": ["Default", "Lighter", "Bolder"]},
        "size": {"enum": ["Small", "Default", "Medium", "Large", "ExtraLarge"]},
        "color": {"enum": ["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]},
        "selectAction": closed({"type": {"const": "Action.OpenUrl"}, "url": {"pattern": "^https://watch.example/"}}),
    },
    "weight",
    "selectAction",
    "size",
    "color",
)
_BLOCK = closed(
    {
        "type": {"const": "RichTextBlock"},
        "inlines": {"type": "array", "minItems": 1, "items": _RUN},
        "spacing": {"enum": ["Default", "None", "Small", "Medium", "Large", "ExtraLarge", "Padding"]},
    }
)
_CARD = closed(
    {
        "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
        "type": {"const": "AdaptiveCard"},
        "version": {"const": "1.4"},
        "fallbackText": {"type": "string"},
        "msteams": closed({"width": {"const": "Full"}}),
        "body": {"type": "array", "minItems": 1, "items": _BLOCK},
        "actions": {
            "type": "array",
            "minItems": 1,
            "maxItems": 6,
            "items": closed(
                {
                    "type": {"const": "Action.OpenUrl"},
                    "title": {"type": "string"},
                    "url": {"type": "string", "pattern": "^https://watch.example/"},
                }
            ),
        },
    }
)
SCHEMA = closed(
    {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": closed(
                {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": "null"},
                    "content": _CARD,
                }
            ),
        },
    }
)


def check(body: bytes) -> dict[str, Any]:
    """The payload in `body`, which Teams would take."""
    assert len(body) <= 28 * 1024
    payload: dict[str, Any] = json.loads(body)
    validate(payload, SCHEMA)
    return payload


def _sent(service: Service, notice: Notice) -> str:
    teams.send(notice, {"webhookUrl": service.url("/workflows/x?sig=secret")})
    payload = check(service.requests[-1].body)
    blocks = payload["attachments"][0]["content"]["body"]
    return "\n".join("".join(run["text"] for run in block["inlines"]) for block in blocks)


@pytest.mark.parametrize(
    "notice", [outage(), recovery(), hostile(), hostile(100), outage(event="test", locations=(), custom_message="")]
)
def test_messages_have_the_shape_of_adaptive_cards_and_only_text_without_markup(
    service: Service, notice: Notice
) -> None:
    _sent(service, notice)


def test_a_message_says_what_since_when_why_and_from_where(service: Service) -> None:
    text = _sent(service, outage())
    for said in ("Shop front is down", "expected was 200-299", "For: 5 minutes 12 seconds", "us-east: down", "2 of 3"):
        assert said in text


@pytest.mark.parametrize(("status", "permanent"), [(429, False), (502, False), (404, True)])
def test_an_error_hidden_in_a_200_is_found(service: Service, status: int, permanent: bool) -> None:
    text = f"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {status} with …"
    service.answers.append(Answer(200, text.encode()))
    with pytest.raises(NotificationError, match=str(status)) as raised:
        teams.send(outage(), {"webhookUrl": service.url()})
    assert raised.value.permanent is permanent


def test_a_summary_links_every_name_and_counts_the_rest(service: Service) -> None:
    text = _sent(service, flood(500))
    assert "Web shop: 250 down, 250 up again" in text
    assert "Node 0 is down" in text
    assert text.count("is down") < 250
    payload = service.requests[-1].body.decode()
    assert '"url": "https://watch.example/monitors/2"' in payload
    shown = text.count("Node ")
    assert f"and {500 - shown} more" in text
