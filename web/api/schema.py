"""The conventions of every body: camelCase, strict types, unknown fields refused, errors by dotted path."""

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
    """A request's body or query. Names are the wire's camelCase; what is not declared is an error."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, defer_build=True)


class Out(BaseModel):
    """An answer's body: built by our own code under Python names, written in camelCase with `Z` times."""

    # Built when first used: a process that serves pages and pings needs few of them.
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, defer_build=True)


Model = TypeVar("Model", bound=BaseModel)


def _to_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("The time needs its zone, such as 2030-01-31T12:00:00Z.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This time lies too far away.") from None


def _stripped(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValueError("This field must not be blank.")
    if _CONTROLS.search(text):
        raise ValueError("Must not hold line breaks or other control characters.")
    return text


#: The name of a time zone; a former name is turned into the present one. `web.features.monitors.schedule` judges whether it is known.
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(time_zones.preferred)]
#: An RFC 3339 time with its zone, turned to UTC.
Time = Annotated[datetime, AfterValidator(_to_utc)]
#: 1 to 255 characters, blanks at the ends cut off.
Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_stripped)]


class Created(Out):
    """A reference to something that was made or begun elsewhere."""

    id: str


class CredentialsOut(Out):
    """The age of what is stored encrypted; null where it is older than the record of it.

    `changed_at`: since when the secrets are what they are. `sealed_at`: when they were last encrypted, by a change or by
    a rotation of the installation's key.
    """

    changed_at: datetime | None
    sealed_at: datetime | None


class FieldWarning(Out):
    """Something doubtful that was saved all the same: a weak secret, a setting without effect."""

    field: str
    message: str


# --- reading ---------------------------------------------------------------------------------


def parse_json(text: bytes) -> dict[str, Any]:
    """The object in a request's body, `{}` for an empty one.

    Raises a 400 `Problem` where it is not JSON, a 422 where it is no object or holds what no column can.
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
    """JSON that Python would take and the standard does not."""


def _refuse_constant(word: str) -> None:
    raise _Refused(f"{word} is not a JSON number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Refused("an object names a field twice")
    return result


def refuse_unfit(data: Mapping[str, Any]) -> None:
    """Raise a 422 `Problem` where `data` holds what no column can hold, or a text longer than the operator allows.

    For every body, whether it came as JSON or as a form.
    """
    problems = dict(_unstorable(data, "", 0))
    if problems:
        raise invalid(problems)
    refuse_long_texts(data)


def _unstorable(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """(path, message) of every text or number in `value` that PostgreSQL cannot hold."""
    if depth > MAX_DEPTH:
        yield path, "Nested too deeply."
    elif isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            yield path, "Holds a character that is not valid text."
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
    """Raise a 422 `Problem` where a text in `data` is longer than the operator's MAX_STRING_LENGTH.

    The body that an HTTP check is to send is often a whole document, and has MAX_REQUEST_BODY_LENGTH of its own.

    What was stored under a wider limit is not judged here: it may stay, and be looked at and paused.
    """
    problems = dict(_too_long(data, "", settings.get().max_string_length))
    if problems:
        raise invalid(problems)


def _too_long(value: Any, path: str, longest: int) -> Iterator[tuple[str, str]]:
    """(path, message) of every text in `value`, and of every name in it, that is longer than `longest` characters."""
    if isinstance(value, str):
        if path == _REQUEST_BODY:
            longest = settings.get().max_request_body_length
        if len(value) > longest:
            yield path, f"Must have at most {longest} characters."
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if len(key) > longest:
                yield path or "body", f"Holds a name of more than {longest} characters."
            else:
                yield from _too_long(inner, f"{path}.{key}" if path else key, longest)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _too_long(inner, f"{path}.{index}", longest)


def validate(model: type[Model], data: Mapping[str, Any], *, under: str = "") -> Model:
    """`data` (JSON types) as `model`. Raises a 422 `Problem` naming the fields, each path beginning with `under`."""
    fields = problems_of(model, data, under=under)
    if isinstance(fields, dict):
        raise invalid(fields)
    return fields


def problems_of(model: type[Model], data: Mapping[str, Any], *, under: str = "") -> Model | dict[str, str]:
    """`data` as `model`, or {dotted path: message}."""
    try:
        # JSON mode, so that strictness still reads ids and times out of text.
        return model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        return explain(error, under)


def validate_query(model: type[Model], data: Mapping[str, str]) -> Model:
    """A query string's values, all texts, as `model`. Raises a 422 `Problem`."""
    unreadable = {name: "Holds a character that is not valid text." for name, text in data.items() if "\x00" in text}
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
    "string_type": "Must be a text.",
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
    """{dotted path: one sentence}; never what was sent, which may be a secret."""
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
