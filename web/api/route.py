"""The decorator of every JSON route: permissions, request, response. Its list of routes feeds the OpenAPI document."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, Response, request
from flask_wtf.csrf import CSRFError
from pydantic import BaseModel

from web.api import idempotency
from web.api.schema import In, Out, parse_json, validate, validate_query
from web.http import rate_limit, transaction
from web.http.auth import Caller, current_caller, uses_key
from web.http.errors import Problem, not_found
from web.http.extensions import csrf

api = Blueprint("api", __name__, url_prefix="/api")


class May(StrEnum):
    """The permission that a route requires."""

    VIEW = "view"
    EDIT = "edit"
    ADMINISTER = "administer"
    ORGANIZE = "organize"


#: Return the object that an earlier request with the same Idempotency-Key created, by its id or code.
Replay = Callable[[Caller, Any], Out]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path, as the dispatcher and the OpenAPI document need it.

    `body` is validated as a model, unless `raw_body` is set: then the view gets the JSON object, to merge it. `coded`: the
    created object has a code instead of an id.
    """

    method: str
    rule: str
    summary: str
    tag: str
    may: May = May.VIEW
    query: type[In] | None = None
    body: type[BaseModel] | None = None
    raw_body: bool = False
    answers: type[BaseModel] | None = None
    status: int = 200
    replay: Replay | None = None
    coded: bool = False


OPERATIONS: list[Operation] = []


def route(method: str, rule: str, **facts: Any) -> Callable[[Callable[..., Out | None]], Callable[..., Out | None]]:
    """Serve `method` on `rule` (under /api) with the decorated view.

    The view gets the caller, the path's ids, and `query` and `body` if the operation has them. It returns a model, or
    None for 204. It does not commit: that happens here, after it has returned.
    """
    operation = Operation(method=method, rule=rule, **facts)

    def decorate(view: Callable[..., Out | None]) -> Callable[..., Out | None]:
        @wraps(view)
        def serve(**path: Any) -> Response:
            return _serve(operation, view, path)

        # One view may serve several methods and paths, and Flask wants one endpoint for each.
        endpoint = f"{view.__name__}_{method.lower()}_{len(OPERATIONS)}"
        api.add_url_rule(rule, endpoint=endpoint, view_func=serve, methods=[method])
        OPERATIONS.append(operation)
        return view

    return decorate


def _serve(operation: Operation, view: Callable[..., Out | None], path: dict[str, Any]) -> Response:
    caller = _authorize(operation)
    if any("\x00" in text for text in path.values() if isinstance(text, str)):
        raise not_found(operation.tag.lower().removesuffix("s"))
    values: dict[str, Any] = dict(path)
    if operation.query is not None:
        values["query"] = validate_query(operation.query, request.args)
    if operation.body is not None:
        data = _json_body()
        values["body"] = data if operation.raw_body else validate(operation.body, data)
    if operation.replay is not None:
        created = idempotency.begin(caller)
        if created is not None:
            return _respond(operation.replay(caller, created if operation.coded else UUID(created)), operation.status)
    answer = view(caller, **values)
    if operation.replay is not None:
        created_now = cast(Any, answer)
        idempotency.finish(caller, created_now.code if operation.coded else str(created_now.id), operation.status)
    response = _respond(answer, operation.status)
    transaction.commit()
    return response


def _authorize(operation: Operation) -> Caller:
    """Return the caller if they may do this. Raise a 401, 403, 404 or 429 `Problem` if not."""
    caller = current_caller()
    if caller.api_key_id is not None:
        rate_limit.count_request(caller.api_key_id)
    if operation.method != "GET" and not uses_key():
        check_csrf()
    allowed = {
        May.VIEW: True,
        May.EDIT: caller.can_edit,
        May.ADMINISTER: caller.can_administer,
        May.ORGANIZE: caller.can_manage_organization,
    }
    if not allowed[operation.may]:
        raise Problem(403, f"The role {caller.role} does not allow this.")
    return caller


def check_csrf() -> None:
    """Raise a 403 `Problem` unless the request carries its session's CSRF token."""
    # Cache the body first: Flask-WTF looks for the token in the form, which consumes the body.
    request.get_data(cache=True)
    try:
        csrf.protect()
    except CSRFError as error:
        raise Problem(403, str(error.description), code="CSRF_FAILED") from None


def _json_body() -> dict[str, Any]:
    text = request.get_data(cache=True)
    if text and not request.is_json:
        raise Problem(415, "The body must be JSON.")
    return parse_json(text)


def _respond(answer: Out | None, status: int) -> Response:
    if answer is None:
        return Response(status=204)
    return Response(answer.model_dump_json(by_alias=True), status, mimetype="application/json")
