"""The body of an answer: decoded, bounded, and kept as far as it is needed."""

from collections.abc import Iterator
from io import BytesIO

from actors.probes import http_decoding
from actors.probes.http_decoding import Coding, Undecodable

#: Bytes of a body that are kept in any case; more than is shown, so that no secret is cut in two where it is shown.
LONGEST_EXCERPT = 4096
#: What a single coding may put out in all, as a multiple of the limit: an inner layer may be larger than the body.
_INNER = 4


class Body:
    """Takes a body as it arrives.

    `too_large` says that the decoded body passed the limit, `fault` that it could not be decoded: a predicate about the
    host. Both end the transfer.
    """

    __slots__ = ("_codings", "_keep_all", "_kept", "_largest", "_passed", "_size", "fault", "too_large")

    def __init__(self, largest: int, keep_all: bool) -> None:
        self._largest = largest
        self._keep_all = keep_all
        self._kept = BytesIO()
        self._codings: list[Coding] | None = None
        self._size = self._passed = 0
        self.too_large = False
        self.fault = ""

    @property
    def begun(self) -> bool:
        """Whether any byte has arrived."""
        return self._codings is not None

    def begin(self, names: list[str]) -> None:
        """Decode what comes by the content codings `names`."""
        self._codings = []
        try:
            self._codings = http_decoding.choose(names)
        except Undecodable as error:
            self.fault = str(error)

    def take(self, chunk: bytes) -> bool:
        """Decode and keep `chunk`. Return whether more is wanted."""
        if self.fault:
            return False
        try:
            for piece in self._decode(chunk):
                self._size += len(piece)
                if self._size > self._largest:
                    self.too_large = True
                    return False
                self._keep(piece)
        except Undecodable as error:
            self.fault = str(error)
        return not (self.fault or self.too_large)

    def finish(self) -> None:
        """The target says that this was all: a compressed stream must have reached its end."""
        if not (self.fault or self.too_large) and not all(coding.is_complete for coding in self._codings or ()):
            self.fault = "sent a compressed answer that ends in the middle"

    @property
    def content(self) -> bytes:
        """The decoded body; only its beginning unless all of it was to be kept."""
        return self._kept.getvalue()

    @property
    def excerpt(self) -> bytes:
        """The first bytes of the decoded body, at most `LONGEST_EXCERPT`."""
        return bytes(self._kept.getbuffer()[:LONGEST_EXCERPT])

    @property
    def excerpt_is_cut(self) -> bool:
        """Whether the body goes on behind `excerpt`."""
        return self._size > LONGEST_EXCERPT

    def _decode(self, chunk: bytes) -> Iterator[bytes]:
        if not self._codings:
            return iter((chunk,))
        outermost, *inner = self._codings
        pieces = self._counted(outermost.feed(chunk))
        for coding in inner:
            pieces = self._counted(http_decoding.each(coding, pieces))
        return pieces

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pass `pieces` on and stop where layers together put out more than any honest answer needs."""
        for piece in pieces:
            self._passed += len(piece)
            if self._passed > self._largest * _INNER:
                self.too_large = True
                return
            yield piece

    def _keep(self, piece: bytes) -> None:
        if self._keep_all:
            self._kept.write(piece)
        elif (room := LONGEST_EXCERPT - self._kept.tell()) > 0:
            self._kept.write(piece[:room])
