"""Checking a payload against the shape that its service documents."""

from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]


def validate(payload: Any, schema: dict[str, Any]) -> None:
    """Raise `ValidationError` where `payload` is not as `schema` says."""
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(payload)


def closed(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    """The schema of an object with exactly these properties, `optional` ones may be absent."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
