"""Decodes the content codings of a response while it arrives.

libcurl can decode too, but it rejects responses that browsers accept (unknown codings, several gzip members, padding after
them), and it accepts incomplete compressed streams.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

#: The codings that a request offers.
OFFERED = "gzip, deflate, br"
#: Maximum size of a decoded piece.
_PIECE = 64 * 1024
#: A legitimate response has one coding, rarely two.
_MAX_CODINGS = 5
_GZIP, _ZLIB, _RAW = 31, 15, -15
_GZIP_MAGIC = b"\x1f\x8b"


class Undecodable(Exception):
    """The data cannot be decoded. The text is a predicate: the host + text is a sentence."""


class Coding(Protocol):
    """One content coding of one response."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` decodes to, in bounded pieces. Raise `Undecodable`."""

    @property
    def is_complete(self) -> bool:
        """Return whether the stream is complete."""


class Gzip:
    """Any number of gzip members. Data after the last one is ignored, as in browsers."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_GZIP)
        # May be the start of a member, but is too short to know.
        self._held = b""
        self._between = self._ended = False

    @property
    def is_complete(self) -> bool:
        return self._between or self._ended

    def feed(self, data: bytes) -> Iterator[bytes]:
        data = self._held + data
        self._held = b""
        while data and not self._ended:
            if self._between:
                data = self._next_member(data)
                continue
            yield from _inflated(self._inflate, data)
            if not self._inflate.eof:
                return
            data = self._inflate.unused_data
            self._between = True

    def _next_member(self, data: bytes) -> bytes:
        """Return `data` from the start of the next member, or nothing if there is none yet."""
        data = data.lstrip(b"\0")
        if data.startswith(_GZIP_MAGIC):
            self._inflate = zlib.decompressobj(_GZIP)
            self._between = False
            return data
        if data and data != _GZIP_MAGIC[:1]:
            self._ended = True
        self._held = data
        return b""


class Deflate:
    """A zlib stream, or a raw deflate stream, which some servers send under the same name."""

    def __init__(self) -> None:
        self._inflate: Any = None
        self._held = b""

    @property
    def is_complete(self) -> bool:
        return self._inflate is not None and bool(self._inflate.eof)

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            data = self._held + data
            if len(data) < 2:
                self._held = data
                return
            has_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._inflate = zlib.decompressobj(_ZLIB if has_header else _RAW)
        if not self._inflate.eof:
            yield from _inflated(self._inflate, data)


class Brotli:
    """One Brotli stream."""

    def __init__(self) -> None:
        # Imported at the first Brotli response, to save memory.
        import brotli

        self._error: type[Exception] = brotli.error
        self._decompressor: Any = brotli.Decompressor()

    @property
    def is_complete(self) -> bool:
        return bool(self._decompressor.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while True:
                piece = self._decompressor.process(data, output_buffer_limit=_PIECE)
                if piece:
                    yield piece
                if self._decompressor.can_accept_more_data():
                    return
                data = b""
        except self._error as error:
            raise Undecodable("sent a compressed response that cannot be decoded") from error


_CODINGS: dict[str, type[Coding]] = {
    "gzip": Gzip,
    "x-gzip": Gzip,
    "deflate": Deflate,
    "x-deflate": Deflate,
    "br": Brotli,
}


def choose(names: list[str]) -> list[Coding]:
    """Return a decoder for each known coding of `names`, in the order of decoding.

    An unknown name counts as identity, as in browsers. Raise `Undecodable` if there are too many.
    """
    known = [_CODINGS[name] for name in names if name in _CODINGS]
    if len(known) > _MAX_CODINGS:
        raise Undecodable(f"encoded its response {len(known)} times, at most {_MAX_CODINGS} are accepted")
    return [coding() for coding in reversed(known)]


def each(coding: Coding, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what `pieces` decode to, lazily: decoding stops when the caller stops reading."""
    for piece in pieces:
        yield from coding.feed(piece)


def _inflated(inflate: Any, data: bytes) -> Iterator[bytes]:
    """Yield what `data` decodes to, up to the end of the stream."""
    try:
        while True:
            piece = inflate.decompress(data, _PIECE)
            if piece:
                yield piece
            # After a full piece, more output may follow although all input was consumed.
            if inflate.eof or len(piece) < _PIECE:
                return
            data = inflate.unconsumed_tail
    except zlib.error as error:
        raise Undecodable("sent a compressed response that cannot be decoded") from error
