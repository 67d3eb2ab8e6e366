"""Discord: one embed through a channel's webhook; nobody is mentioned, whatever a name says."""

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
#: Discord's limits: of a title, of a field's value, of the fields, of all texts together.
_TITLE, _VALUE, _FIELDS, _TOTAL = 256, 1024, 25, 6000
#: What a summary's list may take of the 4,096 characters of a description.
_LIST = 3600


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Send `notice` to the channel of `webhookUrl`. Raises `NotificationError`."""
    body = json.dumps(message(describe(notice))).encode()
    post(str(config.get("webhookUrl") or ""), body, {"Content-Type": "application/json"})


def message(wording: Wording) -> dict[str, Any]:
    """The payload. Links are text: Discord refuses a message whose embed links to a host without a dot."""
    title = fitted(f"{wording.icon} {wording.headline}", _TITLE, _escape)
    said = "\n\n".join(_escape(text) for text in (wording.reason, wording.custom_message) if text)
    changes = "\n".join(listed(wording.changes, _LIST, _escape))
    description = "\n\n".join(filter(None, (said, changes)))
    embed = {
        "title": title,
        "description": description,
        "color": _COLOURS[wording.tone],
        "fields": list(_fields(wording, _TOTAL - units(title) - units(description))),
        "timestamp": wording.sent_at.isoformat(),
    }
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _fields(wording: Wording, room: int) -> Iterable[dict[str, Any]]:
    """The links, where it happened, and of the facts as many as `room` holds."""
    told = [(words, url, False) for words, url in wording.links]
    if wording.locations:
        told.append(("From", "\n".join(map(_escape, wording.locations)), False))
    told += [(label, _escape(value), True) for label, value in wording.facts]
    fields = []
    for name, value, inline in told[:_FIELDS]:
        room -= units(name) + units(value)
        if room >= 0 and units(value) <= _VALUE:
            fields.append({"name": name, "value": value, "inline": inline})
    # Read last, but never left out.
    return [*(one for one in fields if one["inline"]), *(one for one in fields if not one["inline"])]


def _escape(plain: str) -> str:
    """`plain` with Discord's markup switched off; at most twice as long."""
    return _MARKUP.sub(r"\\\1", plain)
