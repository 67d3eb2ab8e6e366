"""Parses the status line and header fields of a response."""

import re
from collections.abc import Iterator

from actors.probes.wording import text

_BLOCK = re.compile(rb"(?:\A|\n\r?\n)(?=HTTP/)")
_STATUS = re.compile(rb"HTTP/\S+ +(\d{3})")
_FOLD = re.compile(rb"\r?\n[ \t]+")


def last(head: bytes) -> bytes:
    """Return the last header block of `head`: earlier ones belong to interim responses. Trailers are included."""
    start = 0
    if head.find(b"\nHTTP/") < 0:
        return head
    for match in _BLOCK.finditer(head):
        start = match.end()
    return head[start:]


def status(head: bytes) -> int:
    """Return the status code of the last header block, or 0. libcurl returns it only at the end."""
    match = _STATUS.match(last(head))
    return int(match[1]) if match else 0


def is_complete(head: bytes) -> bool:
    """Return whether the last header block of `head` is complete."""
    block = last(head)
    return b"\r\n\r\n" in block or b"\n\n" in block


def fields(head: bytes) -> Iterator[tuple[str, str]]:
    """Yield name and value of each header field of the last block. Folded lines are joined.

    Only a line feed ends a line. Other characters that Python treats as line ends belong to the value.
    """
    for line in _FOLD.sub(b" ", last(head)).split(b"\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            yield text(name.strip()), text(value.strip())


def words(head: bytes, name: str) -> list[str]:
    """Return the comma-separated words of every field called `name`, in lower case, without empty ones."""
    if name.encode() not in head.lower():
        # Fast path: most responses lack the field.
        return []
    values = (value for field, value in fields(head) if field.lower() == name)
    return [word for value in values for part in value.split(",") if (word := part.strip().lower())]
