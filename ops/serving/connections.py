"""Connections: each has a deadline while the server waits for its client, and limits on what the client may send."""

import io
import resource
import time
from asyncio import Transport
from functools import partial
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

import settings
from ops.serving.clients import client_of, source
from ops.serving.crowd import MOST, Crowd
from ops.serving.front import full
from ops.serving.pings import Ping, PingLane
from ops.serving.wsgi import Answer, environ_of, joined

#: From the first byte of a request, or from the start of the connection, to the end of the head.
HEAD_SECONDS = 10.0
#: From there to the end of its body.
BODY_SECONDS = 30.0
#: A ping counts once its head has arrived; after this time it is processed with the part of the body that has arrived.
PING_BODY_SECONDS = 10.0
#: How long a client may take to read what fills the send buffer.
WRITE_SECONDS = 30.0
#: How long a client may take to read the rest after the server closed the connection.
CLOSE_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 60
#: Limit for the head, and for everything after it that is not body, such as trailers.
HEAD_BYTES = 65_536
#: File descriptors reserved for the database, the broker and files.
_RESERVED_FILES = 512
_PING_PREFIX = settings.PING_PREFIX.encode()


def raise_file_limit() -> int:
    """Raise the limit on open files as far as connections need it; return how many connections are allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + _RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST if soft == resource.RLIM_INFINITY else max(64, min(MOST, soft - _RESERVED_FILES))


class Connection(HttpToolsProtocol):
    """Uvicorn's protocol with deadlines and with a fast path for pings.

    `crowd` and `pings` belong to the server; `hops` is how many proxies in front of it are trusted.
    """

    crowd: Crowd
    pings: PingLane
    hops = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: The source of the other end of the connection, which may be a proxy.
        self._peer = ""
        #: When the client must have sent its data; None while the server works or the client reads.
        self.deadline: float | None = None
        self._write_deadline: float | None = None
        self._close_deadline: float | None = None
        #: Bytes since the start of the head, or since the last byte of the body.
        self._spare_bytes = 0
        self._in_head = True

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._peer = source(self.client[0] if self.client else "")
        self.deadline = time.monotonic() + HEAD_SECONDS
        # Behind a proxy all connections have one address: count a request for its client once its head has arrived.
        self.crowd.add(self, self._peer, capped=not self.hops)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.remove(self)
        if isinstance(self.cycle, Ping) and not self.cycle.submitted:
            self._submit(self.cycle)  # the job has pinged, even if its body is incomplete
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before, self._spare_bytes = self._spare_bytes, self._spare_bytes + len(data)
        if self._in_head and self._spare_bytes > HEAD_BYTES and not _ends_head(data, HEAD_BYTES - before):
            self.send_400_response("The head of the request is too long.")
            return
        super().data_received(data)
        if not self._in_head and self._spare_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The trailers of the request are too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.deadline = time.monotonic() + HEAD_SECONDS

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # ignore trailers: with them a client could forge headers that its proxy sets
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._spare_bytes = False, 0
        self.deadline = time.monotonic() + BODY_SECONDS
        if self.hops and (client := client_of(joined(self.headers), self.hops)):
            self.crowd.move(self, client, capped=True)
        free = self.cycle is None or self.cycle.response_complete
        if free and self.url.startswith(_PING_PREFIX) and not self.parser.should_upgrade():
            self.deadline = time.monotonic() + PING_BODY_SECONDS
            self._begin_ping()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._spare_bytes = 0
        if isinstance(self.cycle, Ping):
            self.cycle.take(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if isinstance(self.cycle, Ping) and not self.cycle.submitted:
            self._submit(self.cycle)
        super().on_message_complete()
        self._in_head, self._spare_bytes = True, 0
        self.deadline = None
        if not self.cycle or self.cycle.response_complete:  # the response may be complete before the request
            self._rest()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_head and not self.pipeline:
            self._rest()

    def _rest(self) -> None:
        """Wait for the next request."""
        self.deadline = time.monotonic() + KEEP_ALIVE_SECONDS + 1
        if self.hops:
            self.crowd.move(self, self._peer, capped=False)

    # --- pings ---------------------------------------------------------------------------------------

    def _begin_ping(self) -> None:
        version, url = self.parser.get_http_version(), httptools.parse_url(self.url)
        self.scope |= {
            "method": self.parser.get_method().decode("ascii"),
            "http_version": version,
            "raw_path": url.path,
            "query_string": url.query or b"",
        }
        environ = environ_of(cast(dict[str, Any], self.scope), joined(self.headers))
        self.cycle = cast(Any, Ping(environ, version != "1.0" and self.parser.should_keep_alive()))
        if self.expect_100_continue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _submit(self, ping: Ping) -> None:
        """Submit `ping` with the part of its body that has arrived."""
        ping.submitted = True
        if ping.body:
            ping.environ["wsgi.input"] = io.BytesIO(ping.body)
        ping.environ["CONTENT_LENGTH"] = str(len(ping.body))
        if not self.pings.submit(ping.environ, partial(self._answer_ping, ping), self.loop):
            self._answer_ping(ping, full(settings.PING_PREFIX))

    def _answer_ping(self, ping: Ping, answer: Answer) -> None:
        ping.response_complete = True
        if ping.disconnected or self.transport.is_closing():
            return
        headers = [*self.server_state.default_headers, *answer.headers]
        if not ping.keep_alive:
            headers.append((b"connection", b"close"))
        lines = b"".join([b"%b: %b\r\n" % pair for pair in headers])
        body = b"" if ping.environ["REQUEST_METHOD"] == "HEAD" else answer.body
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[answer.status], lines, body))
        if not ping.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_deadline = time.monotonic() + WRITE_SECONDS

    def resume_writing(self) -> None:
        super().resume_writing()
        self._write_deadline = None

    def is_late(self, now: float) -> bool:
        """Return whether a deadline has passed. If the connection is closing, start the deadline for that first."""
        if self.transport.is_closing() and self._close_deadline is None:
            self._close_deadline = now + CLOSE_SECONDS
        deadlines = (self.deadline, self._write_deadline, self._close_deadline)
        return any(deadline is not None and deadline < now for deadline in deadlines)

    def time_out(self) -> None:
        """End the connection after its deadline. An incomplete ping is submitted as far as it has arrived."""
        if isinstance(self.cycle, Ping) and not self.cycle.submitted and not self.transport.is_closing():
            self.deadline = None
            self.cycle.keep_alive = False
            self._submit(self.cycle)
        else:
            self.drop()

    def drop(self) -> None:
        """End the connection now."""
        self.transport.abort()


def _ends_head(data: bytes, room: int) -> bool:
    """Return whether the head ends in the first `room` bytes of `data`."""
    return 0 <= data.find(b"\r\n\r\n") <= room
