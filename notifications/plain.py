"""Text from outside, made harmless: what targets, services and users wrote, fit for one line of a message."""

import re
import unicodedata
from collections.abc import Callable

_ZERO_WIDTH_JOINER = "\u200d"  # holds emoji together; every other format character can only mislead
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")


def _harmless(character: str) -> str:
    if character == "\n" or character == _ZERO_WIDTH_JOINER:
        return character
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category in {"Cf", "Cs"} else character


def lines(text: str, limit: int) -> str:
    """`text` without control, direction and surrogate characters, at most `limit` characters; newlines stay."""
    # Only so much is looked at: the writer may have sent megabytes.
    kept = "".join(map(_harmless, text[: limit * 4].replace("\r\n", "\n")))
    kept = _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", kept)).strip()
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + "…"


def line(text: str, limit: int) -> str:
    """`lines` on one line."""
    return lines(text[: limit * 4].replace("\n", " "), limit)


def units(text: str) -> int:
    """How long `text` is for services that count as JavaScript does: most emoji are two."""
    return len(text) + sum(character > "\uffff" for character in text)


def fitted(text: str, limit: int, escape: Callable[[str], str] = str) -> str:
    """`text` escaped, in at most `limit` units: cut before it is escaped, so that no escape is torn."""
    escaped = escape(text)
    while units(escaped) > limit:
        # No escape makes more than six units of one character: so many must go at the least.
        text = text[: -1 - max(1, (units(escaped) - limit) // 6)] + "…"
        escaped = escape(text)
    return escaped
