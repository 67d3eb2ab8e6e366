"""Sentences for people, made of words that targets had a hand in."""

import re
from urllib.parse import urlsplit, urlunsplit

_LONGEST = 300
# Control characters, and those that reverse or hide text.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


def plain(text: str, longest: int = _LONGEST) -> str:
    """`text` on one line, without control characters, cut to `longest` characters."""
    text = _UNPRINTABLE.sub(" ", text[: longest * 4])
    if not text.isprintable():
        # Odd blanks, and what no version of Unicode has assigned.
        text = "".join(character if character.isprintable() else " " for character in text)
    text = text.strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def text(raw: bytes) -> str:
    """Return `raw` as text: UTF-8 if it is valid, otherwise Latin-1. Any bytes are accepted."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def public_url(url: str) -> str:
    """`url` as it may be shown: without user-info, query and fragment, which may hold secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an unreadable URL"
    return plain(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")))


def seconds(value: float) -> str:
    """`value` seconds in words, such as `30 seconds` or `1 second`."""
    value = round(value, 1)
    return "1 second" if value == 1 else f"{value:g} seconds"
