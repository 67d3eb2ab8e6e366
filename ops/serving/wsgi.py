"""WSGI: build the environment of a request, run the application, return its response."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

import settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Scope = dict[str, Any]
Headers = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """The application's response; `rest` yields the further pieces of a stream, until the client disconnects."""

    status: int
    headers: Headers
    body: bytes
    rest: Iterator[bytes] | None = None
    close: Callable[[], None] | None = None


def joined(headers: Headers) -> dict[bytes, bytes]:
    """Return `headers` by lower-case name; join the values of a repeated header into a list."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found[name] = found[name] + (b"; " if name == b"cookie" else b",") + value if name in found else value
    return found


def environ_of(scope: Scope, headers: dict[bytes, bytes]) -> dict[str, Any]:
    server, client = scope["server"] or ("localhost", 80), scope["client"] or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        settings.RECEIVED_AT: datetime.now(UTC),
    }
    for name, value in headers.items():
        text = value.decode("latin-1")
        if name == b"content-type":
            environ["CONTENT_TYPE"] = text
        elif name == b"content-length":
            environ["CONTENT_LENGTH"] = text
        elif b"_" not in name:  # `X_Forwarded_For` would be read as `X-Forwarded-For`
            environ["HTTP_" + name.decode("latin-1").upper().replace("-", "_")] = text
    return environ


def run(application: "WSGIApplication", environ: dict[str, Any]) -> Answer:
    """Run `application`; return its complete response, or the start of an event stream."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        if exc_info is not None and started:
            raise exc_info[1].with_traceback(exc_info[2])
        started[:] = [(status, headers)]
        return _no_write

    answered: Iterable[bytes] = application(environ, start_response)
    close = getattr(answered, "close", None)
    pieces = iter(answered)
    first = next(pieces, b"")
    status, headers = started[0]
    made = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    code = int(status[:3])
    if dict(made).get(b"Content-Type", b"").startswith(b"text/event-stream") and environ["REQUEST_METHOD"] != "HEAD":
        return Answer(code, made, first, pieces, close)
    try:
        body = b"".join((first, *pieces))
    finally:
        if close is not None:
            close()
    if code >= 200 and code not in (204, 304) and not any(name.lower() == b"content-length" for name, _ in made):
        made.append((b"content-length", str(len(body)).encode()))
    return Answer(code, made, body)


def _no_write(_: bytes) -> None:
    raise NotImplementedError("write() of WSGI is not supported: return the body.")
