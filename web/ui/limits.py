"""HTML attributes that limit an input, taken from the schema that validates it on the server."""

from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined

_ATTRIBUTES = {"minimum": "min", "maximum": "max", "maxLength": "maxlength"}


@cache
def _of_field(model: type[BaseModel], alias: str) -> dict[str, Any]:
    """Return the JSON schema of one field, or `{}` if the model has no such field."""
    for name, info in model.model_fields.items():
        if alias in (info.alias, name):
            # `Annotated` requires metadata and ignores None.
            kind: Any = Annotated[(info.annotation, *info.metadata, None)]
            schema = TypeAdapter(kind).json_schema()
            # Default factories return empty lists and objects, which are not shown.
            return schema if info.default is PydanticUndefined else {**schema, "default": info.default}
    return {}


def _at(model: type[BaseModel], path: str) -> dict[str, Any]:
    """Return the schema at the dotted `path`. For an optional field it is the schema of its value."""
    first, *rest = path.split(".")
    whole = found = _of_field(model, first)
    for name in [None, *rest]:
        found = found if name is None else found.get("properties", {}).get(name, {})
        options = [option for option in found.get("anyOf", ()) if option.get("type") != "null"]
        found = {**found, **options[0]} if options else found
        if reference := found.get("$ref"):
            found = whole["$defs"][reference.rpartition("/")[2]]
    return found


def attributes(model: type[BaseModel], path: str) -> dict[str, Any]:
    """Return `min`, `max` and `maxlength` of the input for `path`."""
    schema = _at(model, path)
    return {name: schema[word] for word, name in _ATTRIBUTES.items() if word in schema}


def default(model: type[BaseModel], path: str) -> Any:
    """Return the default of the field at `path`, or None if it has none."""
    return _at(model, path).get("default")
