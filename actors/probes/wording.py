"""Makes texts that targets influence safe to show."""

import re
from urllib.parse import urlsplit, urlunsplit

_MAX_LENGTH = 300
# Control characters, and those that reverse or hide text.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


def plain(text: str, max_length: int = _MAX_LENGTH) -> str:
    """Return `text` on one line, without control characters, cut to `max_length` characters."""
    text = _UNPRINTABLE.sub(" ", text[: max_length * 4])
    if not text.isprintable():
        # Unusual spaces and unassigned characters.
        text = "".join(character if character.isprintable() else " " for character in text)
    text = text.strip()
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def text(raw: bytes) -> str:
    """Return `raw` as text: UTF-8 if it is valid, otherwise Latin-1. Any bytes are accepted."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def public_url(url: str) -> str:
    """Return `url` as it may be shown: without user-info, query and fragment, which may hold secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an invalid URL"
    return plain(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")))


def seconds(value: float) -> str:
    """Return `value` seconds as text, such as `30 seconds` or `1 second`."""
    value = round(value, 1)
    return "1 second" if value == 1 else f"{value:g} seconds"
