"""The Telegram channel against a local service that checks what it gets as Telegram documents it."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from notifications import NotificationError, telegram
from notifications.notice import Notice
from notifications.plain import units
from tests.notifications.notices import flood, hostile, outage, recovery
from tests.notifications.service import Answer, Service
from tests.notifications.shape import closed, validate

LINK = "https://watch.example/monitors/11111111-1111-4111-8111-111111111111"
SCHEMA = closed(
    {
        "chat_id": {"type": "string", "minLength": 1},
        "text": {"type": "string", "minLength": 1},
        "parse_mode": {"const": "HTML"},
        "link_preview_options": closed({"is_disabled": {"const": True}}),
    }
)


class Reader(HTMLParser):
    """Reads a message as Telegram does: the tags met, and the text that remains."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def _sent(service: Service, notice: Notice) -> Reader:
    telegram.send(notice, {"botToken": "123456:ABC-def_", "chatId": "-100123", "apiBase": service.url("/")})
    request = service.requests[-1]
    payload = json.loads(request.body)
    assert (request.method, request.path) == ("POST", "/bot123456:ABC-def_/sendMessage")
    return check(payload)


def check(payload: dict[str, Any]) -> Reader:
    """What Telegram reads in `payload`, which it would take."""
    validate(payload, SCHEMA)
    reader = Reader()
    reader.feed(payload["text"])
    reader.close()
    assert units(reader.text) <= 4096
    assert len(reader.tags) <= 100
    assert {tag for tag, _ in reader.tags} <= {"a", "b"}
    return reader


@pytest.mark.parametrize("notice", [outage(), recovery(), outage(event="test", locations=(), custom_message="")])
def test_messages_have_the_shape_that_telegram_documents(service: Service, notice: Notice) -> None:
    _sent(service, notice)


def test_a_message_says_what_since_when_why_and_from_where(service: Service) -> None:
    text = _sent(service, outage()).text
    for said in ("Shop front is down", "expected was 200-299", "For: 5 minutes 12 seconds", "us-east: down", "2 of 3"):
        assert said in text


@pytest.mark.parametrize("length", [1, 100])
def test_hostile_texts_are_neither_markup_nor_too_long(service: Service, length: int) -> None:
    reader = _sent(service, hostile(length))
    assert reader.tags == [("b", []), ("a", [("href", LINK)])]
    assert "<!channel>" in reader.text
    assert not re.search(r"(?<!\w)@\w", reader.text)


def test_a_wholly_astral_message_is_not_too_long_either(service: Service) -> None:
    text = "𝔘" * 5000
    reader = _sent(service, outage(reason=text, custom_message=text, project=text))
    assert len(reader.text) <= 4096


@pytest.mark.parametrize("token", ["", "12/../../secret", "12:ab?x=", "123456:ABC\n"])
def test_a_token_that_would_change_the_address_is_refused(service: Service, token: str) -> None:
    with pytest.raises(NotificationError) as raised:
        telegram.send(outage(), {"botToken": token, "chatId": "1", "apiBase": service.url()})
    assert raised.value.permanent
    assert service.requests == []


def test_nobody_is_called_by_a_name_and_mail_addresses_stay_whole(service: Service) -> None:
    text = _sent(service, outage(custom_message="@everyone write to ops@example.com (@admin)")).text
    assert "@\u2060everyone write to ops@example.com (@\u2060admin)" in text


def test_a_summary_links_every_name_and_counts_the_rest(service: Service) -> None:
    reader = _sent(service, flood(500))
    assert "Web shop: 250 down, 250 up again" in reader.text
    assert ("a", [("href", "https://watch.example/monitors/2")]) in reader.tags
    assert f"and {500 - reader.text.count('Node ')} more" in reader.text
    assert reader.tags[-1] == ("a", [("href", "https://watch.example/")])


@pytest.mark.parametrize(("code", "permanent"), [(400, True), (403, True), (429, False), (None, False)])
def test_a_200_that_says_no_is_no_success(service: Service, code: int | None, permanent: bool) -> None:
    said = {"ok": False, "error_code": code, "description": "bot 123456:ABC-def_ was kicked"}
    service.answers.append(Answer(200, json.dumps(said).encode()))
    with pytest.raises(NotificationError, match=r"Telegram rejected the message\. bot … was kicked") as raised:
        telegram.send(outage(), {"botToken": "123456:ABC-def_", "chatId": "1", "apiBase": service.url("/")})
    assert raised.value.permanent is permanent


@pytest.mark.parametrize("body", [b"", b"ok", b"[]", b"[" * 60_000, b'{"ok": true, "result": {}}', b"\xff"])
def test_any_other_200_is_one(service: Service, body: bytes) -> None:
    service.answers.append(Answer(200, body))
    _sent(service, outage())
