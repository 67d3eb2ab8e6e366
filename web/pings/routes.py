"""Heartbeat routes: a job sends a ping, one row is written, the response is `OK`.

They run before Flask, without session, CSRF and JSON, so that a ping costs little.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import redis
import structlog
from dramatiq import Message
from flask import Flask, abort

import settings
from actors import queues
from actors.runtime import telemetry
from models.connections import ping_buffer, ping_pool
from models.queries.pings import Kind, Ping
from web.live.ping_events import PingEvents
from web.pings import bodies as ping_bodies
from web.pings.limits import PingLimits
from web.pings.trusted_tokens import TrustedTokens

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

PREFIX = settings.PING_PREFIX
METHODS = ("GET", "POST", "HEAD")
_ADDRESS = re.compile(r"([A-Za-z0-9_-]{16,128})(?:/(pass|fail|start|log|0|[1-9][0-9]{0,2}))?")
_KINDS = {None: Kind.SUCCESS, "pass": Kind.SUCCESS, "fail": Kind.FAIL, "start": Kind.START, "log": Kind.LOG}
_HEADERS = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
]
_Response = tuple[str, bytes, list[tuple[str, str]]]
_NOT_FOUND: _Response = ("404 Not Found", b"not found", [])
_REFUSED: _Response = (
    "401 Unauthorized",
    b"this heartbeat requires an API key of its project",
    [("WWW-Authenticate", "Bearer")],
)
_TOO_MANY: _Response = ("429 Too Many Requests", b"too many pings with this token", [])
_OK: _Response = ("200 OK", b"OK", [])
_UNAVAILABLE: _Response = (
    "503 Service Unavailable",
    b"the database is not reachable, please ping again",
    [("Retry-After", "5")],
)


def init_app(app: Flask) -> None:
    """Handle pings before `app`. Call it before the middleware for proxy headers is added, which then runs first."""
    app.wsgi_app = HeartbeatRoutes(app.wsgi_app)  # type: ignore[method-assign]
    # Other methods reach this rule and get Flask's 405.
    app.add_url_rule(f"{PREFIX}<path:address>", "heartbeat", _only_other_methods, methods=METHODS)


def _only_other_methods(address: str) -> str:  # noqa: ARG001 - the rule names it
    abort(404)


class HeartbeatRoutes:
    """WSGI middleware that handles the heartbeat routes and passes on all other requests."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._trusted = TrustedTokens()
        self._events = PingEvents()
        self._limits = PingLimits()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if not path.startswith(PREFIX) or environ["REQUEST_METHOD"] not in METHODS:
            return self._application(environ, start_response)
        ping_id = uuid4()
        status, body, headers = self._respond(ping_id, path[len(PREFIX) :], environ)
        start_response(status, [*_HEADERS, *headers, ("X-Correlation-ID", str(ping_id))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _respond(self, ping_id: UUID, address: str, environ: "WSGIEnvironment") -> _Response:
        match = _ADDRESS.fullmatch(address)
        if match is None or (len(match[2] or "") == 3 and match[2].isdigit() and int(match[2]) > 255):
            return _NOT_FOUND
        token_hash = hashlib.sha256(match[1].encode()).digest()
        if wait := self._limits.wait(token_hash):
            return _TOO_MANY[0], _TOO_MANY[1], [("Retry-After", str(wait))]
        ping = self._read(ping_id, token_hash, match[2], environ)
        try:
            recorded = ping_pool.store(ping)
        except ping_pool.Unavailable:
            return self._buffer(ping)
        if recorded is None or recorded.refused:
            self._trusted.forget(ping)
            return _NOT_FOUND if recorded is None else _REFUSED
        self._trusted.remember(ping, recorded.keyword)
        self._count(ping)
        if recorded.undecided:
            _send_to_pipeline(recorded.monitor_id, ping)
        else:
            self._events.publish(ping, recorded)
        return _OK

    def _buffer(self, ping: Ping) -> _Response:
        """Buffer `ping` in the broker while the database is down. Only pings of trusted tokens are accepted."""
        if not self._trusted.trusts(ping):
            return _UNAVAILABLE
        if ping.whole is not None:
            # The buffer stores no long bodies, so search this one for the keyword now.
            keyword = self._trusted.keyword(ping)
            found = keyword is None or keyword in ping_bodies.text_of(ping.whole)
            ping = replace(ping, whole=None, has_keyword=found)
        if not ping_buffer.put(ping):
            return _UNAVAILABLE
        self._count(ping)
        return _OK

    def _count(self, ping: Ping) -> None:
        telemetry.HEARTBEAT_PINGS.inc()
        if ping.body is None and ping.is_cut:
            telemetry.PING_BODIES_OMITTED.inc()
        self._limits.count(ping.token_hash, len(ping.body or ""))

    def _read(self, ping_id: UUID, token_hash: bytes, suffix: str | None, environ: "WSGIEnvironment") -> Ping:
        received_at = environ.get(settings.RECEIVED_AT) or datetime.now(
            UTC
        )  # the time before the body arrives, which may be slow
        exit_code = int(suffix) if suffix and suffix.isdigit() else None
        kind = _KINDS[suffix] if exit_code is None else Kind.FAIL if exit_code else Kind.SUCCESS
        data = ping_bodies.read(environ) if environ["REQUEST_METHOD"] == "POST" else b""
        data = ping_bodies.in_utf8(data, environ.get("CONTENT_TYPE") or "") if data else data
        body = ping_bodies.cut(data)
        keep = not data or self._limits.may_store(token_hash, len(body.text or ""))
        return Ping(
            id=ping_id,
            token_hash=token_hash,
            received_at=received_at,
            kind=kind,
            source={
                "ip": environ.get("REMOTE_ADDR"),
                "userAgent": _header(environ, "HTTP_USER_AGENT"),
                "origin": _header(environ, "HTTP_ORIGIN"),
                "method": environ["REQUEST_METHOD"],
            },
            exit_code=exit_code,
            run_id=_run_id(environ.get("QUERY_STRING", "")),
            body=body.text if keep else None,
            message=_failure_message(exit_code, body.text) if kind is Kind.FAIL else None,
            key_hash=_key_hash(environ.get("HTTP_AUTHORIZATION", "")),
            whole=body.whole if keep else data,
        )


def _header(environ: "WSGIEnvironment", name: str) -> str | None:
    """Return a header for people to read: printable, and at most 200 characters."""
    value: str | None = environ.get(name)
    return _printable(value) if value else None


def _printable(text: str) -> str:
    text = text[:200]
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


def _run_id(query: str) -> UUID | None:
    """Return the run id in `?rid=`, or None if it is not a UUID. The ping still counts."""
    if "rid=" not in query:
        return None
    try:
        return UUID(parse_qs(query, max_num_fields=20)["rid"][0])
    except (ValueError, KeyError):
        return None


def _key_hash(authorization: str) -> bytes | None:
    scheme, _, key = authorization.partition(" ")
    return hashlib.sha256(key.strip().encode()).digest() if scheme.lower() == "bearer" and key.strip() else None


def _failure_message(exit_code: int | None, body: str | None) -> str:
    """Return one sentence about the failure, with the first line of the body."""
    what = "The job reported a failure" if exit_code is None else f"The job ended with exit code {exit_code}"
    first = next((line.strip() for line in (body or "").splitlines() if line.strip()), "")
    return f"{what}: {_printable(first)}" if first else f"{what}."


def _send_to_pipeline(monitor_id: UUID, ping: Ping) -> None:
    """Send `ping` to the pipeline, which decides whether it changes the monitor's state."""
    from actors.broker import broker  # connects at import, which only a process with settings can

    message: Message[Any] = Message(
        queue_name=queues.HEARTBEAT_PINGS,
        actor_name="heartbeat_ping",
        args=(str(monitor_id), ping.received_at.isoformat()),
        kwargs={},
        options={"correlation_id": str(ping.id)},
    )
    try:
        broker.enqueue(message)
    except redis.RedisError as error:
        # The ping is stored, and the sweep will send it.
        log.warning("a ping was not sent to the pipeline: the broker is not reachable", error=type(error).__name__)
