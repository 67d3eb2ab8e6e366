"""The OpenAPI document is valid and describes what is served."""

import re

from flask import Flask
from openapi_spec_validator import validate

from tests.web.api.cast import Cast


def test_the_document_is_valid_and_public(cast: Cast) -> None:
    answer = cast.anonymous.client.get("/api/openapi.json")
    assert answer.status_code == 200
    validate(answer.json)  # type: ignore[arg-type]


def test_every_api_route_that_is_served_is_described(app: Flask, cast: Cast) -> None:
    paths = cast.anonymous.client.get("/api/openapi.json").json["paths"]  # type: ignore[index]
    described = {(method.upper(), re.sub(r"\{\w+\}", "{}", path)) for path in paths for method in paths[path]}
    served = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and not rule.rule.startswith("/api/heartbeat/"):
            path = re.sub(r"<[^>]+>", "{}", rule.rule)
            served |= {(method, path) for method in rule.methods or () if method not in {"HEAD", "OPTIONS"}}
    assert served - described == set()


def test_operation_ids_are_distinct(cast: Cast) -> None:
    paths = cast.anonymous.client.get("/api/openapi.json").json["paths"]  # type: ignore[index]
    items = [one for item in paths.values() for one in item.values() if isinstance(one, dict)]
    ids = [one["operationId"] for one in items]
    assert len(ids) == len(set(ids))
