"""One correlation id for each request: in its response, in its log lines, and in the messages that it sends."""

import re
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

HEADER = "X-Correlation-ID"
#: Ids that are accepted from a client. Others could forge log lines.
_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{8,64}")


def correlation_id() -> str:
    """Return the id of the current request."""
    return str(g.correlation_id)


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.correlation_id = given if _ACCEPTED.fullmatch(given) else str(uuid4())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(correlation_id=g.correlation_id)


def _add_header(response: Response) -> Response:
    if "correlation_id" in g:
        response.headers[HEADER] = g.correlation_id
    return response


def init_app(app: Flask) -> None:
    """Give every request of `app` a correlation id."""
    app.before_request(_begin)
    app.after_request(_add_header)
