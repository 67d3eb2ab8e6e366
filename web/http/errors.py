"""Every failure as API.md's error object; pages get a page.

Raise `Problem` (or a shorthand below) anywhere in a request; what else escapes is turned into one here.
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
    """An answer that is an error: `code` is one of `faults`, by default that of the status.

    `fields` maps dotted paths to what is wrong there; the message goes to the caller, `guidance` where the table's is
    not precise enough.
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
    """A 422 that names the wrong fields."""
    return Problem(422, "Some fields are not valid: " + ", ".join(sorted(fields)) + ".", fields=fields)


def not_found(what: str = "page") -> Problem:
    """A 404, also for what exists and is not the caller's."""
    return Problem(404, f"There is no such {what}.")


def answer(problem: Problem) -> Response:
    """`problem` as JSON."""
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
    """JSON under /api and for programs; a page for people."""
    if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
        return answer(problem)
    # What the layout asks for (the person, the project, the navigation) may be what failed: an error page does without.
    g.shows_error = True
    try:
        text = render_template("error.html", problem=problem, correlation=correlation_id())
    except Exception as error:  # noqa: BLE001 - an error page that fails would leave people with an empty answer
        log.error("error_page_failed", error=type(error).__name__)
        return Response(f"{problem.message}\n", problem.status, problem.headers, mimetype="text/plain")
    return Response(text, problem.status, problem.headers, mimetype="text/html")


def shows_error() -> bool:
    """Whether an error page is rendered now: then nothing of a database or a session is asked for."""
    return bool(g.get("shows_error"))


def _from_http(error: HTTPException) -> Problem:
    status = error.code or 500
    messages = {
        404: "There is no such address.",
        405: f"{request.method} is not possible here.",
        413: "The body is too large: at most 1 MiB is taken.",
        415: "The body must be JSON.",
    }
    headers = {name: value for name, value in error.get_headers(request.environ) if name in {"Allow", "Retry-After"}}
    return Problem(status, messages.get(status, error.description or error.name), headers=headers)


#: SQLSTATE, or its class -> what is told of it: such errors come from a database that was there all the time.
_NOT_AWAY = {
    "57014": "The database took too long over this.",
    "40": "Somebody else changed the same at the same moment, so this was not done. Try again.",
    "55": "Somebody else holds what this is about, so it was not done. Try again.",
    "53": "The database is out of room: of disk, memory or connections.",
}


#: SQLSTATE -> what is told of it: two requests at once wanted what only one can have.
_CONFLICTS = {
    "23503": "What this refers to was deleted at the same moment. Reload and try again.",
    "23505": "Somebody else saved the same at the same moment. Reload and try again.",
    "23P01": "Somebody else saved the same at the same moment. Reload and try again.",
}


def _why_not(error: Exception) -> str:
    """What is told of a failure of a server of ours."""
    if isinstance(error, redis.RedisError):
        return "The broker is not reachable."
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    return _NOT_AWAY.get(state) or _NOT_AWAY.get(state[:2]) or "The database is not reachable."


def init_app(app: Flask) -> None:
    """Turn whatever escapes a view of `app` into an error answer."""

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
        return _answer_or_page(Problem(503, _why_not(error), headers={"Retry-After": "5"}))

    @app.errorhandler(TooManyAtOnce)
    def on_busy(_error: TooManyAtOnce) -> Response:
        message = "Too many passwords are being checked at this moment."
        return _answer_or_page(Problem(503, message, headers={"Retry-After": "5"}))

    @app.errorhandler(Exception)
    def on_unexpected(error: Exception) -> Response:
        log.exception("unexpected_error", error=type(error).__name__, path=request.path)
        return _answer_or_page(Problem(500, "Something went wrong on our side."))
