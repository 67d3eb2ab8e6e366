"""Connections: each has a deadline while we wait for its client, and when there are too many, waiting ones give way.

A new connection always gets in if any other one waits for its client: the oldest of the address that has the most is
closed for it. So a stranger who opens thousands closes only their own.
"""

import io
import ipaddress
import resource
import time
from asyncio import Transport
from functools import lru_cache, partial
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

import settings
from ops.serving.front import full
from ops.serving.pings import Ping, PingLane
from ops.serving.wsgi import Answer, environ_of, joined

#: From the first byte of a request, or from the connection's begin, to the end of its head.
HEAD_SECONDS = 10.0
#: From there to the end of its body.
BODY_SECONDS = 30.0
#: A ping counts from its head on: what has come of its body by then is taken.
PING_BODY_SECONDS = 10.0
#: How long a client may take to read what fills our buffers.
WRITE_SECONDS = 30.0
#: A connection that is closed may take so long to read the rest.
CLOSE_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 60
HEAD_BYTES = 65_536
MOST = 4096
MOST_AN_ADDRESS = 512
#: File descriptors for everything else: the database, the broker, files.
_RESERVED_FILES = 512
_PING_PREFIX = settings.PING_PREFIX.encode()


def raise_file_limit() -> int:
    """Allow as many open files as connections need; return how many connections there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + _RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST if soft == resource.RLIM_INFINITY else max(64, min(MOST, soft - _RESERVED_FILES))


@lru_cache(4096)
def source(address: str) -> str:
    """Whom `address` counts for: an IPv6 client has a whole network of its own."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))


class Crowd:
    """All open connections, by source. Used by the event loop's thread only."""

    def __init__(self, most: int = MOST, most_a_source: int = MOST_AN_ADDRESS) -> None:
        self._most = most
        self._most_a_source = most_a_source
        #: In the order of their begin.
        self._by_source: dict[str, dict[Connection, None]] = {}
        self._count = 0

    def add(self, one: "Connection") -> None:
        """Take `one` in; where there are too many, another one that waits for its client is closed."""
        theirs = self._by_source.setdefault(one.source, {})
        if len(theirs) >= self._most_a_source:
            self._evict(theirs)
        elif self._count >= self._most:
            self._evict(max(self._by_source.values(), key=len))
        self._by_source.setdefault(one.source, {})[one] = None
        self._count += 1

    def remove(self, one: "Connection") -> None:
        """Forget `one`; a second time does nothing."""
        theirs = self._by_source.get(one.source, {})
        if one in theirs:
            del theirs[one]
            self._count -= 1
            if not theirs:
                del self._by_source[one.source]

    def _evict(self, among: "dict[Connection, None]") -> None:
        waiting = (one for one in among if one.deadline is not None)
        # With nothing but requests under way, the newest of them is the least work lost.
        victim = next(waiting, None) or next(reversed(among))
        self.remove(victim)
        victim.drop()

    def sweep(self, now: float) -> None:
        """Drop every connection whose client is too slow. `now` is monotonic."""
        for theirs in list(self._by_source.values()):
            for one in list(theirs):
                if one.is_late(now):
                    one.time_out()


class Connection(HttpToolsProtocol):
    """Uvicorn's protocol with deadlines, and with the short way of pings; `crowd` and `pings` are those of the server."""

    crowd: Crowd
    pings: PingLane

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source = ""
        #: Until when the client has to send what we wait for; None while we work or it reads.
        self.deadline: float | None = None
        self._write_deadline: float | None = None
        self._close_deadline: float | None = None
        self._head_bytes = 0
        self._in_head = True

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.source = source(self.client[0] if self.client else "")
        self.deadline = time.monotonic() + HEAD_SECONDS
        self.crowd.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.remove(self)
        if isinstance(self.cycle, Ping) and not self.cycle.submitted:
            self._submit(self.cycle)  # the job reported: what it did not send of the body is no reason to forget that
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and self.headers is not None and not self._ends_head(data):
                self.send_400_response("The head of the request is too long.")
                return
        super().data_received(data)

    def _ends_head(self, data: bytes) -> bool:
        """Whether a head of permitted size ends in `data`, and a body follows."""
        end = data.find(b"\r\n\r\n")
        return end >= 0 and self._head_bytes - len(data) + end <= HEAD_BYTES

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.deadline = time.monotonic() + HEAD_SECONDS

    def on_headers_complete(self) -> None:
        self._in_head = False
        self.deadline = time.monotonic() + BODY_SECONDS
        free = self.cycle is None or self.cycle.response_complete
        if free and self.url.startswith(_PING_PREFIX) and not self.parser.should_upgrade():
            self.deadline = time.monotonic() + PING_BODY_SECONDS
            self._begin_ping()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if isinstance(self.cycle, Ping):
            self.cycle.take(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if isinstance(self.cycle, Ping) and not self.cycle.submitted:
            self._submit(self.cycle)
        super().on_message_complete()
        self._in_head, self._head_bytes = True, 0
        # The answer may be complete before its request is.
        self.deadline = None if self.cycle and not self.cycle.response_complete else self._idle()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_head and not self.pipeline:
            self.deadline = self._idle()

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
        """Have `ping` answered with what has come of its body."""
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

    @staticmethod
    def _idle() -> float:
        return time.monotonic() + KEEP_ALIVE_SECONDS + 1

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_deadline = time.monotonic() + WRITE_SECONDS

    def resume_writing(self) -> None:
        super().resume_writing()
        self._write_deadline = None

    def is_late(self, now: float) -> bool:
        """Whether the client has had its time; a connection that closes begins its last."""
        if self.transport.is_closing() and self._close_deadline is None:
            self._close_deadline = now + CLOSE_SECONDS
        return any(one is not None and one < now for one in (self.deadline, self._write_deadline, self._close_deadline))

    def time_out(self) -> None:
        """The client has had its time: the connection ends, but a ping is answered as far as it has come."""
        if isinstance(self.cycle, Ping) and not self.cycle.submitted and not self.transport.is_closing():
            self.deadline = None
            self.cycle.keep_alive = False
            self._submit(self.cycle)
        else:
            self.drop()

    def drop(self) -> None:
        """End the connection now."""
        self.transport.abort()
