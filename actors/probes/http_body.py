"""The body of a response: decoded, limited in size, kept as far as needed."""

from collections.abc import Iterator
from io import BytesIO

from actors.probes import http_decoding
from actors.probes.http_decoding import Coding, Undecodable

#: Bytes of a body that are always kept. More than is shown, so that a secret is never cut at the end of the shown text.
MAX_EXCERPT = 4096
#: Output of all codings together, as a multiple of the limit: an inner layer may be larger than the body.
_MAX_INNER_FACTOR = 4


class Body:
    """Receives a body in chunks.

    `too_large` is True if the decoded body exceeds the limit. `fault` says why it cannot be decoded, as a predicate about the
    host. Both end the transfer.
    """

    __slots__ = ("_codings", "_decoded_bytes", "_keep_all", "_kept", "_max_bytes", "_size", "fault", "too_large")

    def __init__(self, max_bytes: int, keep_all: bool) -> None:
        self._max_bytes = max_bytes
        self._keep_all = keep_all
        self._kept = BytesIO()
        self._codings: list[Coding] | None = None
        self._size = self._decoded_bytes = 0
        self.too_large = False
        self.fault = ""

    @property
    def begun(self) -> bool:
        """Return whether any byte has arrived."""
        return self._codings is not None

    def begin(self, names: list[str]) -> None:
        """Decode the body with the content codings `names`."""
        self._codings = []
        try:
            self._codings = http_decoding.choose(names)
        except Undecodable as error:
            self.fault = str(error)

    def take(self, chunk: bytes) -> bool:
        """Decode and keep `chunk`. Return whether to continue."""
        if self.fault:
            return False
        try:
            for piece in self._decode(chunk):
                self._size += len(piece)
                if self._size > self._max_bytes:
                    self.too_large = True
                    return False
                self._keep(piece)
        except Undecodable as error:
            self.fault = str(error)
        return not (self.fault or self.too_large)

    def finish(self) -> None:
        """Check at the end of the body that a compressed stream is complete."""
        if not (self.fault or self.too_large) and not all(coding.is_complete for coding in self._codings or ()):
            self.fault = "sent a compressed response that is incomplete"

    @property
    def content(self) -> bytes:
        """Return the decoded body, or only its beginning unless `keep_all` is set."""
        return self._kept.getvalue()

    @property
    def excerpt(self) -> bytes:
        """Return the first bytes of the decoded body, at most `MAX_EXCERPT`."""
        return bytes(self._kept.getbuffer()[:MAX_EXCERPT])

    @property
    def excerpt_is_cut(self) -> bool:
        """Return whether the body is longer than `excerpt`."""
        return self._size > MAX_EXCERPT

    def _decode(self, chunk: bytes) -> Iterator[bytes]:
        if not self._codings:
            return iter((chunk,))
        outermost, *inner = self._codings
        pieces = self._counted(outermost.feed(chunk))
        for coding in inner:
            pieces = self._counted(http_decoding.each(coding, pieces))
        return pieces

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield `pieces`, and stop if all codings together produce more than a legitimate response needs."""
        for piece in pieces:
            self._decoded_bytes += len(piece)
            if self._decoded_bytes > self._max_bytes * _MAX_INNER_FACTOR:
                self.too_large = True
                return
            yield piece

    def _keep(self, piece: bytes) -> None:
        if self._keep_all:
            self._kept.write(piece)
        elif (room := MAX_EXCERPT - self._kept.tell()) > 0:
            self._kept.write(piece[:room])
