"""From inputs named by dotted paths to nested JSON and back, and the schema's complaints onto the inputs."""

from collections.abc import Mapping
from typing import Any

from wtforms.form import BaseForm


def nested(form: BaseForm) -> dict[str, Any]:
    """The form as the wire's object: `config.port` becomes `{"config": {"port": …}}`."""
    whole: dict[str, Any] = {}
    for field in form:
        holder = whole
        *parents, last = field.name.split(".")
        for parent in parents:
            holder = holder.setdefault(parent, {})
        holder[last] = field.wire()
    return whole


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
    homeless = []
    for path, message in problems.items():
        name = input_for(form, path)
        if name is None:
            homeless.append(message if path == "body" else f"{path}: {message}")
        else:
            form[name].errors = [*form[name].errors, message]
    return homeless


def input_for(form: BaseForm, path: str) -> str | None:
    """The input that `path` is shown at: its own, else the nearest one around it, else the first inside it."""
    around = path
    while around:
        if around in form:
            return around
        around = around.rpartition(".")[0]
    inside = [field.name for field in form if field.name.startswith(path + ".")]
    return inside[0] if inside else None
