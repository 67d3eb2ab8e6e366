"""The body of a ping: all of it is searched for the keyword; its beginning and its end are stored."""

import codecs
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from sqlalchemy import select

import charsets
import settings
from models.tables import HeartbeatPing, MonitorResult
from web.http.extensions import db

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: How much of a body is read and searched for the expected keyword.
READ_BYTES = settings.PING_BODY_BYTES
#: How much of it is stored. Of a longer body, the last `END_BYTES` are the end of what was read.
STORED_BYTES = 10_000
END_BYTES = 2_000
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Body(NamedTuple):
    """The stored part of a body, and all that was read if that is more."""

    text: str | None
    whole: bytes | None = None


def read(environ: "WSGIEnvironment") -> bytes:
    """Return the first `READ_BYTES` of the request's body."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if length:
        declared = int(length) if length.isdecimal() else 0
    else:
        # Without a length, reading to the end is only safe if the server marks the end of the body.
        declared = READ_BYTES if environ.get("wsgi.input_terminated") else 0
    data = b""
    while len(data) < min(declared, READ_BYTES) and (piece := stream.read(min(declared, READ_BYTES) - len(data))):
        data += piece
    return data


def in_utf8(data: bytes, content_type: str) -> bytes:
    """Return `data` in UTF-8. Programs on Windows send UTF-16 and windows-1252."""
    if not (data.startswith(_WIDE) or "charset" in content_type.lower()):
        try:
            data.decode()
        except UnicodeDecodeError:
            pass
        else:
            return data
    return charsets.decode(data, content_type, is_cut=len(data) >= READ_BYTES).encode()


def cut(data: bytes) -> Body:
    """Return `data` as text, cut to `STORED_BYTES`."""
    if len(data) <= STORED_BYTES:
        return Body(text_of(data) or None)
    begin = text_of(data[: STORED_BYTES - END_BYTES], ends=False)
    end = data[-END_BYTES:]
    # Leave out a character that was cut in two, on either side.
    while end and end[0] & 0xC0 == 0x80 and END_BYTES - len(end) < 3:
        end = end[1:]
    return Body(begin + text_of(end, ends=len(data) < READ_BYTES), data)


def text_of(data: bytes, *, ends: bool = True) -> str:
    """Return `data` as text. Bytes that are not UTF-8, and NUL, which PostgreSQL cannot store, become U+FFFD."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final=ends).replace("\0", "\ufffd")


def stored(pings: Sequence[HeartbeatPing]) -> dict[UUID, str | None]:
    """Return the stored body of each ping. The body of a ping with a result is stored with the result."""
    found = {ping.id: ping.body for ping in pings}
    ends = [ping for ping in pings if ping.body is None and ping.kind in ("success", "fail")]
    if ends:
        rows = db.session.execute(
            select(MonitorResult.id, MonitorResult.details["body"].astext).where(
                MonitorResult.id.in_([ping.id for ping in ends]),
                MonitorResult.scheduled_for.in_([ping.received_at for ping in ends]),
            )
        )
        found.update((row[0], row[1]) for row in rows)
    return found
