"""Errors as responses: an error object in JSON for the API, an error page for people.

Code raises `Problem`, or one of its shorthands, anywhere in a request. Other exceptions become a `Problem` here.
"""

from collections.abc import Mapping
from typing import Any

import redis
import structlog
from flask import Flask, Response, g, jsonify, render_template, request
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

import faults
from web.http.correlation import correlation_id
from web.http.extensions import db
from web.http.passwords import TooManyAtOnce

log = structlog.get_logger()


class Problem(Exception):
    """An error response. `code` is one of `faults.FAULTS`, by default that of the status.

    `message` and `guidance` are shown to the caller; `guidance` replaces that of the table. `fields` maps the dotted path
    of each wrong field to a message.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        guidance: str | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code or faults.default_of(status)
        fault = faults.FAULTS[self.code]
        self.status = status
        self.message = message
        self.severity = fault.severity
        self.guidance = guidance or fault.guidance
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})


def invalid(fields: Mapping[str, str]) -> Problem:
    """Return a 422 that names the wrong fields."""
    return Problem(422, "Some fields are not valid: " + ", ".join(sorted(fields)) + ".", fields=fields)


def not_found(what: str = "page") -> Problem:
    """Return a 404. It is also used for what exists and the caller may not see."""
    return Problem(404, f"There is no such {what}.")


def answer(problem: Problem) -> Response:
    """Return `problem` as a JSON response."""
    body: dict[str, Any] = {
        "code": problem.code,
        "message": problem.message,
        "severity": problem.severity,
        "correlationId": correlation_id(),
        "guidance": problem.guidance,
        "fields": problem.fields,
    }
    response = jsonify(error=body)
    response.status_code = problem.status
    response.headers.update(problem.headers)
    return response


def _answer_or_page(problem: Problem) -> Response:
    """Return `problem` as JSON for the API and for programs, or as a page for people."""
    if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
        return answer(problem)
    # Loading the person, the project or the navigation may be what failed, so an error page shows none of them.
    g.shows_error = True
    try:
        text = render_template("error.html", problem=problem, correlation=correlation_id())
    except Exception as error:  # noqa: BLE001 - if the error page fails, people would get an empty response
        log.error("error_page_failed", error=type(error).__name__)
        return Response(f"{problem.message}\n", problem.status, problem.headers, mimetype="text/plain")
    return Response(text, problem.status, problem.headers, mimetype="text/html")


def shows_error() -> bool:
    """Return whether an error page is being rendered, which must not use the database or the session."""
    return bool(g.get("shows_error"))


def _from_http(error: HTTPException) -> Problem:
    status = error.code or 500
    messages = {
        404: "This address does not exist.",
        405: f"The method {request.method} is not allowed here.",
        413: "The body is too large. The limit is 1 MiB.",
        415: "The body must be JSON.",
    }
    headers = {name: value for name, value in error.get_headers(request.environ) if name in {"Allow", "Retry-After"}}
    return Problem(status, messages.get(status, error.description or error.name), headers=headers)


#: SQLSTATE, or its class -> the message. The database was reachable when these errors occurred.
_REACHABLE = {
    "57014": "The database did not finish in time.",
    "40": "Another request changed the same data at the same time. Nothing was saved. Try again.",
    "55": "Another request holds a lock on this data. Nothing was saved. Try again.",
    "53": "The database is out of disk space, memory or connections.",
}


#: SQLSTATE -> the message. Two requests made conflicting changes at the same time.
_CONFLICTS = {
    "23503": "An item that this refers to was deleted at the same time. Reload and try again.",
    "23505": "Another request saved the same at the same time. Reload and try again.",
    "23P01": "Another request saved the same at the same time. Reload and try again.",
}


def _dependency_message(error: Exception) -> str:
    """Return the message for a failure of the database or the broker."""
    if isinstance(error, redis.RedisError):
        return "The broker is not reachable."
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    return _REACHABLE.get(state) or _REACHABLE.get(state[:2]) or "The database is not reachable."


def init_app(app: Flask) -> None:
    """Turn every exception that leaves a view of `app` into an error response."""

    @app.errorhandler(Problem)
    def on_problem(error: Problem) -> Response:
        return _answer_or_page(error)

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> Response:
        if error.code is not None and error.code < 400:
            return Response(error.get_body(), error.code, error.get_headers())
        return _answer_or_page(_from_http(error))

    @app.errorhandler(IntegrityError)
    def on_conflict(error: IntegrityError) -> Response:
        state = str(getattr(error.orig, "sqlstate", None))
        if state not in _CONFLICTS:
            return on_unexpected(error)
        db.session.rollback()
        log.warning("conflicting_change", sqlstate=state, path=request.path)
        return _answer_or_page(Problem(409, _CONFLICTS[state]))

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    @app.errorhandler(redis.RedisError)
    def on_dependency(error: Exception) -> Response:
        cause = getattr(error, "orig", None) or error
        log.error("dependency_down", error=type(cause).__name__)
        return _answer_or_page(Problem(503, _dependency_message(error), headers={"Retry-After": "5"}))

    @app.errorhandler(TooManyAtOnce)
    def on_busy(_error: TooManyAtOnce) -> Response:
        message = "Too many passwords are being checked at the moment."
        return _answer_or_page(Problem(503, message, headers={"Retry-After": "5"}))

    @app.errorhandler(Exception)
    def on_unexpected(error: Exception) -> Response:
        log.exception("unexpected_error", error=type(error).__name__, path=request.path)
        return _answer_or_page(Problem(500, "Something went wrong in Supercheck."))
