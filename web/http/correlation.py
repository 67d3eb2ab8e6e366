"""One id per request: in the answer, in every log line, and in the messages that the request causes."""

import re
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

HEADER = "X-Correlation-ID"
#: What we take over from a caller; anything else could forge log lines.
_SANE = re.compile(r"[A-Za-z0-9._:-]{8,64}")


def correlation_id() -> str:
    """The id of the request under way."""
    return str(g.correlation_id)


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.correlation_id = given if _SANE.fullmatch(given) else str(uuid4())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(correlation_id=g.correlation_id)


def _name(response: Response) -> Response:
    if "correlation_id" in g:
        response.headers[HEADER] = g.correlation_id
    return response


def init_app(app: Flask) -> None:
    """Give every request of `app` its id."""
    app.before_request(_begin)
    app.after_request(_name)
