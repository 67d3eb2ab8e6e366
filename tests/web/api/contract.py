"""Good answers are what the OpenAPI document says, bad ones the error object."""

import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

from web.api.openapi import document

_HOME = "urn:openapi"


@cache
def _registry() -> "Registry[Any]":
    empty: Registry[Any] = Registry()
    filled: Registry[Any] = empty.with_resource(
        _HOME, Resource.from_contents(document(), default_specification=DRAFT202012)
    )
    return filled


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Every path as a pattern; those without parameters first."""
    ordered = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in ordered]


@cache
def validator(path: str, method: str, status: str) -> Draft202012Validator | None:
    """What checks the body of this answer; None if the document promises none."""
    answers = document()["paths"][path][method.lower()]["responses"]
    assert status in answers, f"{method} {path} answered {status}, which the document does not know"
    if "content" not in answers[status]:
        return None
    pointer = "/".join(
        part.replace("~", "~0").replace("/", "~1")
        for part in ("paths", path, method.lower(), "responses", status, "content", "application/json", "schema")
    )
    return Draft202012Validator({"$ref": f"{_HOME}#/{pointer}"}, registry=_registry(), format_checker=FormatChecker())


def check_against_document(method: str, url: str, answer: TestResponse) -> None:
    """Fail unless `answer` is one that the document promises; errors must have the error object."""
    if answer.status_code >= 400:
        check_error(answer)
        return
    path = next((path for pattern, path in _paths() if pattern.fullmatch(urlsplit(url).path)), None)
    assert path is not None, f"{url} is not in the document"
    found = validator(path, method, str(answer.status_code))
    if found is None:
        assert answer.data == b""
        return
    found.validate(answer.json)
    assert not re.search(r'"\d{4}-\d\d-\d\dT[^"]*\+00:00"', answer.text), "times end in Z"


def check_error(answer: TestResponse) -> None:
    """Fail unless the body is API.md's error object and the header carries the same id."""
    assert answer.mimetype == "application/json", answer.text
    error = answer.json["error"]  # type: ignore[index]
    assert error.keys() == {"code", "message", "severity", "correlationId", "guidance", "fields"}
    assert re.fullmatch(r"[A-Z_]+", error["code"])
    assert error["severity"] in {"low", "medium", "high", "critical"}
    assert error["message"]
    assert error["guidance"]
    assert error["correlationId"] == answer.headers["X-Correlation-ID"]
    assert isinstance(error["fields"], dict)
    assert bool(error["fields"]) == (answer.status_code == 422), "a 422 names fields, and only a 422"
