"""The ASGI application: it reads the body of a request, then a thread of the right lane runs the WSGI application."""

import asyncio
import hashlib
import io
import json
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import faults
import settings
from ops.serving.clients import client_of, source
from ops.serving.lanes import Full, Lane, Turns
from ops.serving.wsgi import Answer, Scope, environ_of, joined, run

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

#: One byte more than the application accepts, so that it notices a body that is too long.
BODY_BYTES = 1024 * 1024 + 1
#: Bodies beyond the first 64 kB that may be in memory at once, unfinished ones included.
LARGE_BODIES = 64
LARGE_BODIES_A_CLIENT = 16
_SMALL_BYTES = 65_536
RETRY_AFTER_SECONDS = 5
_HEALTH = {"/healthz": "alive", "/readyz": "ready", "/metrics": "ready"}


class Front:
    """An ASGI application around a WSGI one."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._hops = settings.get().trusted_proxies
        self._large = Turns(LARGE_BODIES, share=LARGE_BODIES_A_CLIENT, timeout=RETRY_AFTER_SECONDS)
        self._streams = threading.BoundedSemaphore(settings.MAX_STREAMS)
        self._lanes = {
            "alive": Lane("alive", 2, timeout=5),
            "ready": Lane("ready", 4, timeout=5),
            "page": Lane("page", settings.WEB_THREADS, share=settings.WEB_THREADS // 2),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path: str = scope["path"]
        lane = self._lanes[_HEALTH.get(path, "page")]
        headers = joined(scope["headers"])
        environ = environ_of(scope, headers)
        whole, keys = True, self._keys(scope, headers)
        try:
            if b"content-length" in headers or b"transfer-encoding" in headers:
                body, whole = await self._body(path, headers, receive, keys)
                environ["wsgi.input"] = io.BytesIO(body)
            answer = await lane.run(lambda: run(self._application, environ), keys)
        except Full:
            answer = full(path)
        except Gone:
            return
        await self._send(answer, whole, send, receive)

    def _keys(self, scope: Scope, headers: dict[bytes, bytes]) -> list[str]:
        """Return the keys that the request counts for: its client's address, and its credential if there is one."""
        address = client_of(headers, self._hops) or source(scope["client"][0] if scope["client"] else "")
        credential = headers.get(b"authorization") or headers.get(b"cookie")
        return [address, hashlib.blake2b(credential, digest_size=16).hexdigest()] if credential else [address]

    async def _body(
        self, path: str, headers: dict[bytes, bytes], receive: Receive, keys: list[str]
    ) -> tuple[bytes, bool]:
        """Return the body, and whether it is complete. Raise `Full`, or `Gone` if the client disconnects before its end."""
        declared = headers.get(b"content-length", b"0")
        if len(declared) > 12 or (int(declared) >= BODY_BYTES and not path.startswith(settings.PING_PREFIX)):
            return b"", False  # the application rejects it by its length
        reader = _Reader(receive, BODY_BYTES)
        await reader.read(_SMALL_BYTES)
        if not reader.ended:
            async with self._large.turn(keys):
                await reader.read(reader.most)
        return bytes(reader.data), reader.ended

    async def _send(self, answer: Answer, whole: bool, send: Send, receive: Receive) -> None:
        headers = answer.headers
        if not whole:
            headers = [*headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": answer.rest is not None})
        if answer.rest is not None:
            await self._stream(answer, send, receive)

    async def _stream(self, answer: Answer, send: Send, receive: Receive) -> None:
        """Send a stream until either side ends it. A separate thread waits for its pieces."""
        pump = Pump(answer, asyncio.get_running_loop(), send)
        if not self._streams.acquire(blocking=False):
            pump.close()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        try:
            pump.start()
            await _until_gone_or(pump.ended, receive)
        finally:
            self._streams.release()
            pump.gone = True
        if not pump.failed:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class Gone(Exception):
    """The client has disconnected."""


class _Reader:
    """Read a body piece by piece, up to `most` bytes."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self.most = most
        self.data = bytearray()
        self.ended = False

    async def read(self, until: int) -> None:
        """Read until there are `until` bytes, or the body ends. Raise `Gone` if the client disconnects."""
        while not self.ended and len(self.data) < min(until, self.most):
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            self.data += message.get("body", b"")
            self.ended = not message.get("more_body", False)


class Pump:
    """A thread that sends the pieces of a stream, and waits if the client reads slowly."""

    def __init__(self, answer: Answer, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        self._answer = answer
        self._loop = loop
        self._send = send
        self.ended = asyncio.Event()
        self.gone = False
        self.failed = False

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="stream", daemon=True).start()

    def close(self) -> None:
        """Release the resources of the stream."""
        if self._answer.close is not None:
            self._answer.close()

    def _run(self) -> None:
        try:
            for piece in self._answer.rest or ():
                if self.gone:
                    break
                if piece:
                    message = {"type": "http.response.body", "body": piece, "more_body": True}
                    asyncio.run_coroutine_threadsafe(self._sent(message), self._loop).result()
        except Exception:  # noqa: BLE001 - after any error the page reconnects
            self.failed = True
        finally:
            self.close()
            self._loop.call_soon_threadsafe(self.ended.set)

    async def _sent(self, message: dict[str, Any]) -> None:
        await self._send(message)


async def _until_gone_or(ended: asyncio.Event, receive: Receive) -> None:
    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    waiting = [asyncio.create_task(gone()), asyncio.create_task(ended.wait())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


def full(path: str) -> Answer:
    """Return the response if no thread is free."""
    headers = [(b"retry-after", str(RETRY_AFTER_SECONDS).encode())]
    correlation = str(uuid4())
    code = faults.default_of(503)
    message = "Too many requests are under way."
    if path.startswith("/api/") and not path.startswith(settings.PING_PREFIX):
        error = {
            "code": code,
            "message": message,
            "severity": faults.FAULTS[code].severity,
            "correlationId": correlation,
        }
        error |= {"guidance": "Try again in a few seconds.", "fields": {}}  # type: ignore[dict-item]
        body, kind = json.dumps({"error": error}).encode(), b"application/json"
    else:
        body, kind = message.encode() + b"\n", b"text/plain; charset=utf-8"
    headers += [(b"content-type", kind), (b"x-correlation-id", correlation.encode())]
    headers.append((b"content-length", str(len(body)).encode()))
    return Answer(503, headers, body)
