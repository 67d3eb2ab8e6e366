"""One decorator for every JSON route: who may, what comes in, what goes out; and the list the OpenAPI document is made of."""

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
    """What a route asks of its caller."""

    VIEW = "view"
    EDIT = "edit"
    ADMINISTER = "administer"
    ORGANIZE = "organize"


#: Fetches again what an earlier request with the same Idempotency-Key made, by its id; locations by their code.
Replay = Callable[[Caller, Any], Out]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path, as the dispatcher and the OpenAPI document need it.

    `body` is read as a model, except where `raw_body` says that the view wants the object as it came (merging). `coded`: what is made has a code and
    no id.
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

    The view gets `caller`, `query` and `body` where the operation has them, and the path's ids; it answers a model,
    or None for 204. It does not commit: the change is committed here, once it returned.
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
    caller = _admit(operation)
    if any("\x00" in text for text in path.values() if isinstance(text, str)):
        raise not_found(operation.tag.lower().removesuffix("s"))
    values: dict[str, Any] = dict(path)
    if operation.query is not None:
        values["query"] = validate_query(operation.query, request.args)
    if operation.body is not None:
        data = _json_body()
        values["body"] = data if operation.raw_body else validate(operation.body, data)
    if operation.replay is not None:
        made = idempotency.begin(caller)
        if made is not None:
            return _respond(operation.replay(caller, made if operation.coded else UUID(made)), operation.status)
    answer = view(caller, **values)
    if operation.replay is not None:
        made_now = cast(Any, answer)
        idempotency.finish(caller, made_now.code if operation.coded else str(made_now.id), operation.status)
    response = _respond(answer, operation.status)
    transaction.commit()
    return response


def _admit(operation: Operation) -> Caller:
    """The caller, who may do this. Raises a 401, 403, 404 or 429 `Problem`."""
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
        raise Problem(403, f"The role {caller.role} may not do this.")
    return caller


def check_csrf() -> None:
    """Raise a 403 `Problem` unless the request carries its session's CSRF token."""
    # Kept before the token is looked for in a form, which would use the body up.
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
