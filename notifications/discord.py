"""Discord: one embed through a channel's webhook. Mentions are turned off."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from notifications.notice import Notice
from notifications.plain import fitted, units
from notifications.post import post
from notifications.summary import listed
from notifications.wording import Tone, Wording, describe

_COLOURS = {Tone.BAD: 0xC62828, Tone.GOOD: 0x2E7D32, Tone.WARNING: 0xB26A00, Tone.NEUTRAL: 0x1565C0}
_MARKUP = re.compile(r"([\\`*_~|<>\[\](){}#+\-.!:@/])")
#: Discord's limits: characters of a title and of a field's value, number of fields, characters of an embed.
_TITLE, _VALUE, _FIELDS, _TOTAL = 256, 1024, 25, 6000
#: The maximum length of a summary's list, within the 4,096 characters of a description.
_LIST = 3600


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Send `notice` to the channel of `webhookUrl`. Raise `NotificationError`."""
    body = json.dumps(message(describe(notice))).encode()
    post(str(config.get("webhookUrl") or ""), body, {"Content-Type": "application/json"})


def message(wording: Wording) -> dict[str, Any]:
    """Return the payload. Links are text, because Discord rejects an embed that links to a host without a dot."""
    title = fitted(f"{wording.icon} {wording.headline}", _TITLE, _escape)
    texts = "\n\n".join(_escape(text) for text in (wording.reason, wording.custom_message) if text)
    changes = "\n".join(listed(wording.changes, _LIST, _escape))
    description = "\n\n".join(filter(None, (texts, changes)))
    embed = {
        "title": title,
        "description": description,
        "color": _COLOURS[wording.tone],
        "fields": list(_fields(wording, _TOTAL - units(title) - units(description))),
        "timestamp": wording.sent_at.isoformat(),
    }
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _fields(wording: Wording, room: int) -> Iterable[dict[str, Any]]:
    """Return the fields: as many facts as fit into `room`, then locations and links."""
    candidates = [(label, url, False) for label, url in wording.links]
    if wording.locations:
        candidates.append(("From", "\n".join(map(_escape, wording.locations)), False))
    candidates += [(label, _escape(value), True) for label, value in wording.facts]
    fields = []
    for name, value, inline in candidates[:_FIELDS]:
        room -= units(name) + units(value)
        if room >= 0 and units(value) <= _VALUE:
            fields.append({"name": name, "value": value, "inline": inline})
    # Links and locations are placed last, but get their room first.
    return [*(field for field in fields if field["inline"]), *(field for field in fields if not field["inline"])]


def _escape(plain: str) -> str:
    """Return `plain` with Discord's markup escaped; at most twice as long."""
    return _MARKUP.sub(r"\\\1", plain)
