"""From inputs named by dotted paths to nested JSON and back, and the schema's complaints onto the inputs."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wtforms import Field
from wtforms.form import BaseForm

from web.http.errors import Problem, invalid
from web.http.merge_patch import is_same

Saved = TypeVar("Saved")


def nested(form: BaseForm, before: BaseForm | None = None) -> dict[str, Any]:
    """The form as the wire's object: `config.port` becomes `{"config": {"port": …}}`.

    `before` is the form as it was shown: what a control cannot hold (line ends, an order) is taken from there. An input
    that cannot be read is null here, and `reading` reports it.
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
    """The value of `field` on the wire; None if it cannot be read."""
    return _read(field)[0]


def _read(field: Field, before: BaseForm | None = None) -> tuple[Any, str]:
    """(the value of `field` on the wire, why it cannot be read)."""
    try:
        value = field.wire()
        if before is not None and hasattr(field, "wire_after") and value != before[field.name].wire():
            value = field.wire_after(before[field.name])
    except ValueError as error:
        return None, str(error)
    return value, ""


def reading(form: BaseForm, save: Callable[[], Saved]) -> Saved:
    """Do `save`, unless an input of `form` cannot be read.

    Raise a 422 `Problem` with those inputs and everything else that is wrong, so that one round shows all of it.
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
    """What in `after` differs from `before`, both the wire of `form`: an untouched form changes nothing."""
    found: dict[str, Any] = {}
    for name, value in after.items():
        old, path = before.get(name), f"{under}{name}"
        if path not in form and isinstance(value, dict) and isinstance(old, dict):
            if inner := difference(value, old, form, f"{path}."):
                found[name] = inner
        elif not is_same(value, old):
            found[name] = value
    return found


def flat(whole: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """{path: value} of `names` in the wire's object; those that are absent are left out."""
    found = {}
    for name in names:
        value: Any = whole
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            found[name] = value
    return found


def place_errors(form: BaseForm, problems: Mapping[str, str]) -> list[str]:
    """Put each of `problems` ({dotted path: message}) on the input it belongs to; returns those without one."""
    unplaced_errors = []
    for path, message in problems.items():
        name = input_for(form, path)
        if name is None:
            unplaced_errors.append(message if path == "body" else f"{path}: {message}")
        else:
            form[name].errors = [*form[name].errors, message]
    return unplaced_errors


def input_for(form: BaseForm, path: str) -> str | None:
    """The input that `path` is shown at: its own, else the nearest one around it, else the first inside it."""
    around = path
    while around:
        if around in form:
            return around
        around = around.rpartition(".")[0]
    inside = [field.name for field in form if field.name.startswith(path + ".")]
    return inside[0] if inside else None
