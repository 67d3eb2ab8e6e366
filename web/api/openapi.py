"""/api/openapi.json: generated from the models that validate requests and build responses."""

import re
from functools import cache
from importlib.metadata import version
from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from web.api import error_schema as error_schemas
from web.api.openapi_other import OTHER_PATHS
from web.api.route import OPERATIONS, Operation, api
from web.features.maintenance_windows import schemas as maintenance
from web.features.monitors import config_schemas
from web.features.monitors import schemas as monitors
from web.features.notification_providers import schemas as providers

_TEMPLATE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"<(\w+):(\w+)>")
_COMMON_ERRORS = {
    "400": "Malformed",
    "401": "NoCredentials",
    "403": "NotAllowed",
    "404": "NotThere",
    "409": "Conflict",
    "413": "TooLarge",
    "415": "NotJson",
    "422": "InvalidFields",
    "429": "RateLimited",
    "503": "DependencyDown",
}
_DESCRIPTIONS = {
    "Malformed": "The body is not JSON.",
    "NoCredentials": "There are no valid credentials.",
    "NotAllowed": "The caller's role does not allow this, or the CSRF token is missing.",
    "NotThere": "It does not exist, or belongs to another project.",
    "Conflict": "The request conflicts with the current state.",
    "TooLarge": "The body is too large.",
    "NotJson": "The body's Content-Type is not JSON.",
    "InvalidFields": "Some fields are not valid. `fields` names them.",
    "RateLimited": "Too many requests. `Retry-After` says how long to wait.",
    "DependencyDown": "A dependency is down.",
}
Mode = str


@api.get("/openapi.json")
def openapi() -> Response:
    """Return the document. It is public, because it contains nothing that the source code does not."""
    return jsonify(document())


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    names, schemas = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        path = "/api" + _PARAMETER.sub(r"{\2}", operation.rule)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, names)
    for path, item in OTHER_PATHS.items():
        paths.setdefault(path, {}).update(item)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Supercheck",
            "version": version("supercheck"),
            "description": "Self-hosted monitoring. Times are RFC 3339 in UTC, ids are UUIDs.",
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}, {"session": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": _error_responses(names),
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key of one project."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "supercheck_session",
                    "description": "The browser's session; unsafe methods also need the header X-CSRFToken.",
                },
            },
        },
    }


Names = dict[tuple[type[BaseModel], str], dict[str, Any]]


def _schemas() -> tuple[Names, dict[str, Any]]:
    """Return ({(model, mode): reference}, {name: schema}) of every model that a route or another model uses."""
    wanted: dict[tuple[type[BaseModel], Any], None] = {(error_schemas.ErrorOut, "serialization"): None}
    for config in (*config_schemas.CONFIGS.values(), *providers.CONFIGS.values()):
        wanted[(config, "validation")] = None
    wanted[(monitors.HeartbeatMonitorOut, "serialization")] = None
    for operation in OPERATIONS:
        if operation.body is not None:
            wanted[(operation.body, "validation")] = None
        if operation.answers is not None:
            wanted[(operation.answers, "serialization")] = None
    names, definitions = models_json_schema(list(wanted), ref_template=_TEMPLATE)
    schemas: dict[str, Any] = definitions["$defs"]
    for model in (monitors.MonitorIn, providers.ProviderIn, maintenance.WindowIn):
        _add_read_only(schemas[model.__name__], model.READ_ONLY)
    return names, schemas  # type: ignore[return-value] # Pydantic types the mode as a literal


def _add_read_only(schema: dict[str, Any], fields: frozenset[str]) -> None:
    """Declare the fields that are accepted and ignored, so that a response can be sent back as a request."""
    for field in sorted(fields):
        schema["properties"][field] = {"readOnly": True, "description": "Read-only: ignored in requests."}


def _operation(operation: Operation, names: Names) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _operation_id(operation),
        "summary": operation.summary,
        "description": f"Requires a role that may {operation.may}.",
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_header_parameters(operation)],
        "responses": _responses(operation, names),
    }
    if operation.body is not None:
        schema = names[(operation.body, "validation")]
        if operation.method in {"PUT", "PATCH"} and operation.raw_body:
            # Absent fields stay, so none is required.
            schema = {"type": "object", "description": f"Any fields of {operation.body.__name__}."}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _operation_id(operation: Operation) -> str:
    words = re.sub(r"<\w+:(\w+)>", r"by-\1", operation.rule)
    return operation.method.lower() + "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", words) if word)


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    formats = {"uuid": {"type": "string", "format": "uuid"}, "string": {"type": "string"}}
    return [
        {"name": name, "in": "path", "required": True, "schema": formats[kind]}
        for kind, name in _PARAMETER.findall(operation.rule)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = operation.query.model_json_schema(ref_template=_TEMPLATE)
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": described}
        for name, described in schema["properties"].items()
    ]


def _header_parameters(operation: Operation) -> list[dict[str, Any]]:
    described = [
        {
            "name": "X-Project-Id",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "format": "uuid"},
            "description": "Selects another project of the caller than the session's.",
        }
    ]
    if operation.replay is not None:
        described.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "maxLength": 255},
                "description": "Sending the same request with the same key twice creates one object.",
            }
        )
    return described


def _responses(operation: Operation, names: Names) -> dict[str, Any]:
    success: dict[str, Any] = {"description": operation.summary}
    if operation.answers is not None:
        schema = names[(operation.answers, "serialization")]
        if operation.answers is monitors.MonitorOut:
            schema = {"anyOf": [names[(monitors.HeartbeatMonitorOut, "serialization")], schema]}
        success["content"] = {"application/json": {"schema": schema}}
    errors = {status: {"$ref": f"#/components/responses/{name}"} for status, name in _COMMON_ERRORS.items()}
    return {str(operation.status): success, **errors}


def _error_responses(names: Names) -> dict[str, Any]:
    schema = names[(error_schemas.ErrorOut, "serialization")]
    return {
        name: {"description": text, "content": {"application/json": {"schema": schema}}}
        for name, text in _DESCRIPTIONS.items()
    }
