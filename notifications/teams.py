"""Microsoft Teams: an adaptive card through the webhook of a workflow or of an older connector."""

import json
import re
from collections.abc import Mapping
from typing import Any

from notifications.notice import Notice, NotificationError
from notifications.post import post
from notifications.summary import ChangeLine, fitting
from notifications.wording import Tone, Wording, describe

_COLOURS = {Tone.BAD: "Attention", Tone.GOOD: "Good", Tone.WARNING: "Warning", Tone.NEUTRAL: "Accent"}
#: The maximum size of a summary's list, within the 28 kB that Teams accepts.
_LIST_BYTES = 20_000
#: Connectors respond 200 even if Teams rejects the message; the text then contains the status.
_HIDDEN_ERROR = re.compile(r"returned HTTP error (\d{3})")


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Send `notice` to `webhookUrl`. Raise `NotificationError`."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    reply = post(str(config.get("webhookUrl") or ""), _encoded(message(describe(notice))), headers)
    if hidden := _HIDDEN_ERROR.search(reply.text):
        status = int(hidden[1])
        permanent = 400 <= status < 500 and status not in {408, 425, 429}
        raise NotificationError(
            f"Microsoft Teams responded with HTTP {status} through its connector.", permanent=permanent
        )


def message(wording: Wording) -> dict[str, Any]:
    """Return the payload. All text is in text runs, the only element of cards without markup."""
    body = [
        _text(_run(f"{wording.icon} {wording.headline}", weight="Bolder", size="Large", color=_COLOURS[wording.tone]))
    ]
    body += [_text(_run(part)) for part in (wording.reason, *wording.custom_message.split("\n")) if part.strip()]
    changes, rest = fitting(wording.changes, _LIST_BYTES, lambda change: len(_encoded(_change(change))))
    body += [_change(change) for change in changes]
    body += [_text(_run(rest), spacing="Small")] if rest else []
    body += [_text(_run(f"{label}: ", weight="Bolder"), _run(value), spacing="Small") for label, value in wording.facts]
    if wording.locations:
        body.append(_text(_run("From", weight="Bolder")))
        body += [_text(_run(location), spacing="Small") for location in wording.locations]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": wording.subject,
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": label, "url": url} for label, url in wording.links],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _change(change: ChangeLine) -> dict[str, Any]:
    """Return one line of a summary's list; the name links to its monitor."""
    name = _run(change.name, weight="Bolder") | {"selectAction": {"type": "Action.OpenUrl", "url": change.url}}
    return _text(_run(f"{change.icon} "), name, _run(f" {change.rest}"), spacing="Small")


def _text(*runs: dict[str, Any], spacing: str = "Default") -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs), "spacing": spacing}


def _run(text: str, **looks: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **looks}


def _encoded(payload: dict[str, Any]) -> bytes:
    """Return `payload` as JSON in UTF-8: with ASCII escapes, emoji would take three times the space."""
    return json.dumps(payload, ensure_ascii=False).encode()
