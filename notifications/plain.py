"""Sanitizes text from targets, services and users, so that it is safe in a message."""

import re
import unicodedata
from collections.abc import Callable

_ZERO_WIDTH_JOINER = "\u200d"  # part of many emoji; all other format characters are removed
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
    """Return `text` without control, direction and surrogate characters, at most `limit` characters; newlines stay."""
    # Only the beginning is processed: the text may be megabytes long.
    kept = "".join(map(_harmless, text[: limit * 4].replace("\r\n", "\n")))
    kept = _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", kept)).strip()
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + "…"


def line(text: str, limit: int) -> str:
    """Return the result of `lines` as one line."""
    return lines(text[: limit * 4].replace("\n", " "), limit)


def units(text: str) -> int:
    """Return the length of `text` in UTF-16 units, as many services count it: most emoji are two."""
    return len(text) + sum(character > "\uffff" for character in text)


def fitted(text: str, limit: int, escape: Callable[[str], str] = str) -> str:
    """Return `text` escaped, in at most `limit` units. It is cut before it is escaped, so that no escape sequence is cut."""
    escaped = escape(text)
    while units(escaped) > limit:
        # An escape is at most six units long: at least this many characters must be removed.
        text = text[: -1 - max(1, (units(escaped) - limit) // 6)] + "…"
        escaped = escape(text)
    return escaped
