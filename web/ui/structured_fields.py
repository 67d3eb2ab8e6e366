"""Inputs with structured text: header lines and JSON values."""

import json
from typing import Any

from wtforms import StringField, TextAreaField

from web.ui.fields import one_kind_of_line_end, one_line


class Headers(TextAreaField):  # type: ignore[misc]
    """One header per line, `Name: value`. Spaces around a typed value are dropped."""

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.stored: dict[str, str] = {}

    def process_data(self, value: Any) -> None:
        self.stored = value if isinstance(value, dict) else {}
        self.data = "\n".join(f"{name}: {text}" for name, text in self.stored.items())

    def wire(self) -> Any:
        headers: dict[str, str] = {}
        for line in one_kind_of_line_end(self.data or "").split("\n"):
            if not line.strip():
                continue
            name, colon, value = (part.strip() for part in line.partition(":"))
            if not colon:
                raise ValueError("Enter one header per line as name, colon, value, such as Accept: text/html.")
            if name in headers:
                raise ValueError(f"The header {name} occurs twice.")
            headers[name] = value
        return headers

    def wire_after(self, before: "Headers") -> Any:
        """Return the changed headers. An unchanged line keeps its stored value, with its spaces."""
        old = before.stored
        return {
            name: old[name] if old.get(name, "").strip() == value != "" else value
            for name, value in self.wire().items()
        }


class JsonValue(StringField):  # type: ignore[misc]
    """A JSON value. Text that is not JSON is a string, and empty is no value.

    In the API null removes a field, so a typed `null` becomes `{"op": "eq", "value": null}`.
    """

    def process_data(self, value: Any) -> None:
        plain = isinstance(value, str) and value.isprintable() and value == value.strip() != "" and not _is_json(value)
        if value == _IS_NULL:
            self.data = "null"
        else:
            self.data = value if plain else "" if value is None else json.dumps(value, ensure_ascii=False)

    def wire(self) -> Any:
        text = one_line(self.data or "").strip()
        if not text:
            return None
        value = json.loads(text) if _is_json(text) else text
        return _IS_NULL if value is None else value


_IS_NULL = {"op": "eq", "value": None}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
