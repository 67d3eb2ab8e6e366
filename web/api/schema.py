"""The rules of every request and response: camelCase, strict types, no unknown fields, errors by dotted path."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

import settings
from models.rules import time_zones
from web.http.errors import Problem, invalid

MAX_DEPTH = 32
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class In(BaseModel):
    """The body or query of a request. Names are camelCase; an undeclared field is an error."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, defer_build=True)


class Out(BaseModel):
    """The body of a response. Code uses Python names; the JSON has camelCase names and times that end in `Z`."""

    # Models are built on first use: a process that serves pages and pings needs few of them.
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, defer_build=True)


Model = TypeVar("Model", bound=BaseModel)


def _to_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("The time needs a UTC offset, such as 2030-01-31T12:00:00Z.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This time is out of range.") from None


def _stripped(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValueError("This field must not be blank.")
    if _CONTROLS.search(text):
        raise ValueError("Must not contain line breaks or other control characters.")
    return text


#: The name of a time zone. A former name becomes the current one. `web.features.monitors.schedule` checks whether it exists.
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(time_zones.preferred)]
#: An RFC 3339 time with an offset, converted to UTC.
Time = Annotated[datetime, AfterValidator(_to_utc)]
#: 1 to 255 characters, without spaces at the ends.
Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_stripped)]


class Created(Out):
    """A reference to a created object."""

    id: str


class CredentialsOut(Out):
    """The age of the encrypted secrets; null if it was not recorded.

    `changed_at`: when the secrets changed last. `sealed_at`: when they were last encrypted, by a change or by a rotation
    of the installation's key.
    """

    changed_at: datetime | None
    sealed_at: datetime | None


class FieldWarning(Out):
    """A warning about a field that was saved: a weak secret, or a setting without effect."""

    field: str
    message: str


# --- reading ---------------------------------------------------------------------------------


def parse_json(text: bytes) -> dict[str, Any]:
    """Return the JSON object in a request's body, `{}` if the body is empty.

    Raise a 400 `Problem` if it is not JSON, a 422 if it is not an object or contains what cannot be stored.
    """
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, _Refused) else "it is not valid JSON"
        raise Problem(400, f"The body cannot be read: {reason}.", code="MALFORMED_JSON") from None
    if not isinstance(value, dict):
        raise Problem(422, "The body must be a JSON object.", fields={"body": "Must be an object."})
    refuse_unfit(value)
    return value


class _Refused(ValueError):
    """JSON that Python accepts and the standard does not."""


def _refuse_constant(word: str) -> None:
    raise _Refused(f"{word} is not a JSON number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Refused("an object names a field twice")
    return result


def refuse_unfit(data: Mapping[str, Any]) -> None:
    """Raise a 422 `Problem` if `data` contains what cannot be stored, or a string longer than the operator allows.

    It applies to every body, JSON or form.
    """
    problems = dict(_unstorable(data, "", 0))
    if problems:
        raise invalid(problems)
    refuse_long_texts(data)


def _unstorable(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield (path, message) of every string or number in `value` that PostgreSQL cannot store."""
    if depth > MAX_DEPTH:
        yield path, "Nested too deeply."
    elif isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            yield path, "Contains a character that is not valid text."
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield path, "This number is too large."
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _unstorable(key, f"{path}." if path else "body", depth + 1)
            yield from _unstorable(inner, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, f"{path}.{index}", depth + 1)


_REQUEST_BODY = "config.body"


def refuse_long_texts(data: Mapping[str, Any]) -> None:
    """Raise a 422 `Problem` if a string in `data` is longer than MAX_STRING_LENGTH.

    The body that an HTTP check sends may be a whole document, so its limit is MAX_REQUEST_BODY_LENGTH. Stored values are
    not checked, so that monitors from before a lower limit can still be read and paused.
    """
    problems = dict(_too_long(data, "", settings.get().max_string_length))
    if problems:
        raise invalid(problems)


def _too_long(value: Any, path: str, longest: int) -> Iterator[tuple[str, str]]:
    """Yield (path, message) of every string and name in `value` that is longer than `longest` characters."""
    if isinstance(value, str):
        if path == _REQUEST_BODY:
            longest = settings.get().max_request_body_length
        if len(value) > longest:
            yield path, f"Must have at most {longest} characters."
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if len(key) > longest:
                yield path or "body", f"Contains a name of more than {longest} characters."
            else:
                yield from _too_long(inner, f"{path}.{key}" if path else key, longest)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _too_long(inner, f"{path}.{index}", longest)


def validate(model: type[Model], data: Mapping[str, Any], *, under: str = "") -> Model:
    """Return `data` (JSON types) as `model`. Raise a 422 `Problem` if a field is wrong; paths start with `under`."""
    fields = problems_of(model, data, under=under)
    if isinstance(fields, dict):
        raise invalid(fields)
    return fields


def problems_of(model: type[Model], data: Mapping[str, Any], *, under: str = "") -> Model | dict[str, str]:
    """Return `data` as `model`, or {dotted path: message} if it is not valid."""
    try:
        # In JSON mode, strict validation still accepts ids and times as strings.
        return model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        return explain(error, under)


def validate_query(model: type[Model], data: Mapping[str, str]) -> Model:
    """Return the values of a query string as `model`. Raise a 422 `Problem` if one is not valid."""
    unreadable = {name: "Contains a character that is not valid text." for name, text in data.items() if "\x00" in text}
    if unreadable:
        raise invalid(unreadable)
    refuse_long_texts(data)
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        raise invalid(explain(error, "")) from None


# --- explaining ------------------------------------------------------------------------------

_SENTENCES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field.",
    "string_type": "Must be a string.",
    "int_type": "Must be a whole number.",
    "int_parsing": "Must be a whole number.",
    "int_from_float": "Must be a whole number.",
    "float_type": "Must be a number.",
    "float_parsing": "Must be a number.",
    "bool_type": "Must be true or false.",
    "bool_parsing": "Must be true or false.",
    "dict_type": "Must be an object.",
    "model_type": "Must be an object.",
    "list_type": "Must be a list.",
    "uuid_type": "Must be an id.",
    "uuid_parsing": "Must be an id.",
    "greater_than_equal": "Must be at least {ge}.",
    "greater_than": "Must be more than {gt}.",
    "less_than_equal": "Must be at most {le}.",
    "less_than": "Must be less than {lt}.",
    "string_too_short": "Must have at least {min_length} character(s).",
    "string_too_long": "Must have at most {max_length} characters.",
    "too_short": "Must have at least {min_length} element(s).",
    "too_long": "Must have at most {max_length} elements.",
    "literal_error": "Must be one of: {expected}.",
    "enum": "Must be one of: {expected}.",
}


def explain(error: ValidationError, under: str) -> dict[str, str]:
    """Return {dotted path: one sentence}. It never contains the sent value, which may be a secret."""
    fields: dict[str, str] = {}
    for item in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in (under, *item["loc"]) if part != "")
        context = item.get("ctx", {})
        if item["type"] == "value_error":
            sentence = str(context["error"])
        elif item["type"] in _SENTENCES:
            sentence = _SENTENCES[item["type"]].format(**context)
        elif "date" in item["type"] or "time" in item["type"]:
            sentence = "Must be a date or time such as 2030-01-31 or 2030-01-31T12:00:00Z."
        else:
            sentence = "Not valid."
        fields.setdefault(path or "body", sentence)
    return fields
