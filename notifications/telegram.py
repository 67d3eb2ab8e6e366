"""Telegram: one message of a bot to a chat, in Telegram's HTML."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from typing import Any

from notifications.notice import Notice, NotificationError
from notifications.plain import line, units
from notifications.post import Reply, post, redact
from notifications.summary import fitting
from notifications.wording import Wording, describe, uncalled

API_BASE = "https://api.telegram.org"
_TOKEN = re.compile(r"[A-Za-z0-9:_-]{8,128}")
#: What a summary's list may take of the 4,096 characters of a message; names that are links do not count as such.
_LIST = 3400


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Send `notice` as the bot of `botToken` to `chatId`; `apiBase` is optional. Raises `NotificationError`."""
    token = str(config.get("botToken") or "")
    chat = str(config.get("chatId") or "")
    if not _TOKEN.fullmatch(token) or not chat:
        raise NotificationError("The bot token is not one, or the chat id is missing.", permanent=True)
    base = str(config.get("apiBase") or API_BASE).rstrip("/")
    body = {
        "chat_id": chat,
        "text": text(describe(notice)),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    headers = {"Content-Type": "application/json"}
    _judge(post(f"{base}/bot{token}/sendMessage", json.dumps(body).encode(), headers, secrets=[token]), token)


def text(wording: Wording) -> str:
    """The message in Telegram's HTML, which knows five entities and no others; at most 4,096 characters when read."""
    facts = "\n".join(f"{_escape(label)}: {_escape(value)}" for label, value in wording.facts)
    places = "\n".join(("From", *map(_escape, wording.locations))) if wording.locations else ""
    parts = [
        f"{wording.icon} <b>{_escape(wording.headline)}</b>",
        _escape(wording.reason),
        _escape(wording.custom_message),
        _list(wording),
        facts,
        places,
        "\n".join(_link(words, url) for words, url in wording.links),
    ]
    return "\n\n".join(filter(None, parts))


def _list(wording: Wording) -> str:
    """As much of a summary's list as there is room for; names lead to their monitors."""
    changes, rest = fitting(wording.changes, _LIST, lambda change: units(uncalled(str(change))))
    lines = [f"{one.icon} {_link(one.name, one.url)} {_escape(one.rest)}" for one in changes]
    return "\n".join([*lines, *([rest] if rest else [])])


def _judge(reply: Reply, token: str) -> None:
    """Raise where a 200 says that the message was not taken after all."""
    with suppress(ValueError, RecursionError):
        answer = json.loads(reply.text)
        if isinstance(answer, dict) and answer.get("ok") is False:
            said = line(redact(str(answer.get("description") or ""), [token]), 200)
            final = answer.get("error_code") in {400, 401, 403, 404}
            raise NotificationError(f"Telegram did not take the message. {said}".strip(), permanent=final)


def _link(words: str, url: str) -> str:
    return f'<a href="{_quote(url)}">{_escape(words)}</a>'


def _escape(plain: str) -> str:
    return _quote(uncalled(plain))


def _quote(plain: str) -> str:
    return escape(plain, quote=False).replace('"', "&quot;")
