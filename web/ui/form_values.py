"""Conversion between inputs that are named by dotted paths and nested JSON, and errors at the inputs."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wtforms import Field
from wtforms.form import BaseForm

from web.http.errors import Problem, invalid
from web.http.merge_patch import is_same

Saved = TypeVar("Saved")


def nested(form: BaseForm, before: BaseForm | None = None) -> dict[str, Any]:
    """Return the form as a JSON object: `config.port` becomes `{"config": {"port": …}}`.

    `before` is the form as it was shown: what an input does not preserve (line ends, an order) is taken from there. An
    input that cannot be read is null, and `reading` reports it.
    """
    whole: dict[str, Any] = {}
    for field in form:
        holder = whole
        *parents, last = field.name.split(".")
        for parent in parents:
            holder = holder.setdefault(parent, {})
        holder[last] = _read(field, before)[0]
    return whole


def value_of(field: Field) -> Any:
    """Return the JSON value of `field`, or None if it cannot be read."""
    return _read(field)[0]


def _read(field: Field, before: BaseForm | None = None) -> tuple[Any, str]:
    """Return (the JSON value of `field`, why it cannot be read)."""
    try:
        value = field.wire()
        if before is not None and hasattr(field, "wire_after") and value != before[field.name].wire():
            value = field.wire_after(before[field.name])
    except ValueError as error:
        return None, str(error)
    return value, ""


def reading(form: BaseForm, save: Callable[[], Saved]) -> Saved:
    """Call `save`, and raise a 422 `Problem` if an input of `form` cannot be read.

    The problem also contains the errors that `save` finds, so that people see all errors at once.
    """
    problems = {field.name: why for field in form if (why := _read(field)[1])}
    if not problems:
        return save()
    try:
        save()
    except Problem as problem:
        problems = {**problem.fields, **problems}
    raise invalid(problems)


def difference(after: Mapping[str, Any], before: Mapping[str, Any], form: BaseForm, under: str = "") -> dict[str, Any]:
    """Return what in `after` differs from `before`, both the JSON of `form`. For an untouched form it is empty."""
    changed: dict[str, Any] = {}
    for name, value in after.items():
        old, path = before.get(name), f"{under}{name}"
        if path not in form and isinstance(value, dict) and isinstance(old, dict):
            if inner := difference(value, old, form, f"{path}."):
                changed[name] = inner
        elif not is_same(value, old):
            changed[name] = value
    return changed


def flat(whole: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Return {path: value} of `names` in the JSON object `whole`, without absent ones."""
    values = {}
    for name in names:
        value: Any = whole
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            values[name] = value
    return values


def place_errors(form: BaseForm, problems: Mapping[str, str]) -> list[str]:
    """Add each of `problems` ({dotted path: message}) to its input. Return the messages that have no input."""
    unplaced_errors = []
    for path, message in problems.items():
        name = input_for(form, path)
        if name is None:
            unplaced_errors.append(message if path == "body" else f"{path}: {message}")
        else:
            form[name].errors = [*form[name].errors, message]
    return unplaced_errors


def input_for(form: BaseForm, path: str) -> str | None:
    """Return the input that shows errors of `path`: its own, else the nearest parent, else the first child."""
    around = path
    while around:
        if around in form:
            return around
        around = around.rpartition(".")[0]
    inside = [field.name for field in form if field.name.startswith(path + ".")]
    return inside[0] if inside else None
