"""Slack, and services with compatible incoming webhooks: blocks with a coloured bar."""

import json
from collections.abc import Mapping
from typing import Any

from notifications.notice import Notice
from notifications.plain import fitted, units
from notifications.post import post
from notifications.summary import listed
from notifications.wording import Tone, Wording, describe, without_markup

_COLOURS = {Tone.BAD: "#c62828", Tone.GOOD: "#2e7d32", Tone.WARNING: "#b26a00", Tone.NEUTRAL: "#1565c0"}
#: Slack's limits: fields of a section, characters of a section and of a header.
_FIELDS, _SECTION, _HEADER = 10, 3000, 150
#: The maximum length of a summary's list. Slack accepts more, but a longer list is not useful.
_LIST = 12_000


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Send `notice` to the incoming webhook `webhookUrl`. Raise `NotificationError`."""
    body = json.dumps(message(describe(notice))).encode()
    post(str(config.get("webhookUrl") or ""), body, {"Content-Type": "application/json; charset=utf-8"})


def message(wording: Wording) -> dict[str, Any]:
    """Return the payload. Only Supercheck's links are markup; all other text is `plain_text`, without mentions and links."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(f"{wording.icon} {wording.headline}", _HEADER)}]
    blocks += [_section(text) for text in (wording.reason, wording.custom_message) if text]
    blocks += [{"type": "section", "text": _verbatim(text)} for text in _sections(wording)]
    fields = [_plain(f"{label}: {value}", 2000) for label, value in wording.facts]
    for first in range(0, len(fields), _FIELDS):
        blocks.append({"type": "section", "fields": fields[first : first + _FIELDS]})
    if wording.locations:
        blocks.append(_section("\n".join(("From", *wording.locations))))
    # Compatible services (Mattermost, Rocket.Chat) show only this text and interpret markup in it.
    subject = _escape(without_markup(wording.subject))
    links = " · ".join(f"<{_escape(url).replace('|', '%7C')}|{label}>" for label, url in wording.links)
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": links, "verbatim": True}]})
    return {
        "text": subject,
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "attachments": [{"color": _COLOURS[wording.tone], "fallback": subject, "blocks": blocks}],
    }


def _sections(wording: Wording) -> list[str]:
    """Return the escaped lines of a summary's list, as many per section as fit."""
    sections: list[str] = []
    for line in listed(wording.changes, _LIST, _escape):
        if sections and units(sections[-1]) + 1 + units(line) <= _SECTION:
            sections[-1] += f"\n{line}"
        else:
            sections.append(line)
    return sections


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text, _SECTION)}


def _plain(text: str, limit: int) -> dict[str, Any]:
    return _verbatim(fitted(text, limit, _escape))


def _verbatim(escaped: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": escaped, "emoji": False}


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
