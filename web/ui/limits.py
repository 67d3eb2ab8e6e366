"""What an input may hold, told to the browser: taken from the schemas that the server validates with."""

from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined

_ATTRIBUTES = {"minimum": "min", "maximum": "max", "maxLength": "maxlength"}


@cache
def _of_field(model: type[BaseModel], alias: str) -> dict[str, Any]:
    """The JSON schema of one field, `{}` where the model has none of that name."""
    for name, info in model.model_fields.items():
        if alias in (info.alias, name):
            # The None is for fields without metadata: Annotated wants some, and passes over what it does not know.
            kind: Any = Annotated[(info.annotation, *info.metadata, None)]
            schema = TypeAdapter(kind).json_schema()
            # Factories make empty lists and records, which say nothing.
            return schema if info.default is PydanticUndefined else {**schema, "default": info.default}
    return {}


def _at(model: type[BaseModel], path: str) -> dict[str, Any]:
    """The schema at the dotted `path`; of an optional field, what it is when it is there."""
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
    """`min`, `max` and `maxlength` of the input for `path`."""
    schema = _at(model, path)
    return {name: schema[word] for word, name in _ATTRIBUTES.items() if word in schema}


def default(model: type[BaseModel], path: str) -> Any:
    """What holds where nothing was said; None where the schema names nothing."""
    return _at(model, path).get("default")
