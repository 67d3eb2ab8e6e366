"""Telegram: one message from a bot to a chat, in Telegram's HTML."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from typing import Any

from channels import CHANNELS
from notifications.notice import Notice, NotificationError
from notifications.plain import line, units
from notifications.post import Reply, post, redact
from notifications.summary import fitting
from notifications.wording import Wording, describe, without_mentions

_TOKEN = re.compile(r"[A-Za-z0-9:_-]{8,128}")
#: The maximum length of a summary's list, within the 4,096 characters of a message; URLs of links do not count.
_LIST = 3400


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Send `notice` as the bot of `botToken` to `chatId`; `apiBase` is optional. Raise `NotificationError`."""
    token = str(config.get("botToken") or "")
    chat = str(config.get("chatId") or "")
    if not _TOKEN.fullmatch(token) or not chat:
        raise NotificationError("The bot token is invalid, or the chat id is missing.", permanent=True)
    base = str(config.get("apiBase") or CHANNELS["telegram"].default_url).rstrip("/")
    body = {
        "chat_id": chat,
        "text": text(describe(notice)),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    headers = {"Content-Type": "application/json"}
    _check(post(f"{base}/bot{token}/sendMessage", json.dumps(body).encode(), headers, secrets=[token]), token)


def text(wording: Wording) -> str:
    """Return the message in Telegram's HTML, at most 4,096 characters after parsing. Only five entities are allowed."""
    facts = "\n".join(f"{_escape(label)}: {_escape(value)}" for label, value in wording.facts)
    locations = "\n".join(("From", *map(_escape, wording.locations))) if wording.locations else ""
    parts = [
        f"{wording.icon} <b>{_escape(wording.headline)}</b>",
        _escape(wording.reason),
        _escape(wording.custom_message),
        _list(wording),
        facts,
        locations,
        "\n".join(_link(label, url) for label, url in wording.links),
    ]
    return "\n\n".join(filter(None, parts))


def _list(wording: Wording) -> str:
    """Return as much of a summary's list as fits; names link to their monitors."""
    changes, rest = fitting(wording.changes, _LIST, lambda change: units(without_mentions(str(change))))
    lines = [f"{change.icon} {_link(change.name, change.url)} {_escape(change.rest)}" for change in changes]
    return "\n".join([*lines, *([rest] if rest else [])])


def _check(reply: Reply, token: str) -> None:
    """Raise `NotificationError` if the body of a 200 says that the message was not accepted."""
    with suppress(ValueError, RecursionError):
        answer = json.loads(reply.text)
        if isinstance(answer, dict) and answer.get("ok") is False:
            description = line(redact(str(answer.get("description") or ""), [token]), 200)
            is_permanent = answer.get("error_code") in {400, 401, 403, 404}
            raise NotificationError(f"Telegram rejected the message. {description}".strip(), permanent=is_permanent)


def _link(label: str, url: str) -> str:
    return f'<a href="{_quote(url)}">{_escape(label)}</a>'


def _escape(plain: str) -> str:
    return _quote(without_mentions(plain))


def _quote(plain: str) -> str:
    return escape(plain, quote=False).replace('"', "&quot;")
