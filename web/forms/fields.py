"""The kinds of input a form may have. Each turns into the wire's JSON with `wire()`; judging is left to the schemas."""

import json
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup
from wtforms import Field, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import NumberInput

#: What a number of which unit is worth, in seconds.
UNITS = {"1": "seconds", "60": "minutes", "3600": "hours", "86400": "days"}


def number(text: str) -> int | float | str:
    """`text` as a number; what is none stays text, so that the schema complains of it."""
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


class Text(StringField):  # type: ignore[misc]
    """One line; empty is `absent` on the wire (None removes the field)."""

    def __init__(self, *args: Any, absent: Any = None, **values: Any) -> None:
        super().__init__(*args, **values)
        self.absent = absent

    def wire(self) -> Any:
        return (self.data or "").strip() or self.absent


class Exact(StringField):  # type: ignore[misc]
    """One line whose blanks count: secrets and keywords."""

    def wire(self) -> Any:
        return self.data or None


class LongText(TextAreaField):  # type: ignore[misc]
    """Several lines, with the line ends of the wire."""

    def __init__(self, *args: Any, absent: Any = None, **values: Any) -> None:
        super().__init__(*args, **values)
        self.absent = absent

    def wire(self) -> Any:
        return (self.data or "").replace("\r\n", "\n") or self.absent


class Number(StringField):  # type: ignore[misc]
    """A number; empty is absent."""

    widget = NumberInput(step="any")

    def wire(self) -> Any:
        text = str(self.data if self.data is not None else "").strip()
        return number(text) if text else None


class Choice(SelectField):  # type: ignore[misc]
    """One of a few words, given as (word, what it says) each; an unknown one is refused by the schema."""

    def __init__(self, *args: Any, choices: Iterable[tuple[str, str]], **values: Any) -> None:
        super().__init__(*args, choices=dict(choices), validate_choice=False, **values)

    def wire(self) -> Any:
        return self.data or None


class Several(SelectMultipleField):  # type: ignore[misc]
    """Any of a list, given as (id, name) each and drawn as checkboxes."""

    def __init__(self, *args: Any, choices: Iterable[tuple[str, str]], **values: Any) -> None:
        super().__init__(*args, choices=dict(choices), validate_choice=False, **values)

    def wire(self) -> Any:
        return [str(one) for one in self.data or ()]


class Switch(Field):  # type: ignore[misc]
    """On or off. The form also holds a hidden `off`, so that an unticked box differs from one that was not there."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist:
            self.data = "on" in valuelist

    def wire(self) -> Any:
        return bool(self.data)


class Tags(StringField):  # type: ignore[misc]
    """Words separated by commas."""

    def process_data(self, value: Any) -> None:
        self.data = ", ".join(value) if isinstance(value, list) else value

    def wire(self) -> Any:
        return [word.strip() for word in (self.data or "").split(",") if word.strip()]


class Headers(TextAreaField):  # type: ignore[misc]
    """One header a line, `Name: value`."""

    def process_data(self, value: Any) -> None:
        self.data = "\n".join(f"{name}: {text}" for name, text in value.items()) if isinstance(value, dict) else value

    def wire(self) -> Any:
        headers = {}
        for line in (self.data or "").splitlines():
            if line.strip():
                name, _, value = line.partition(":")
                headers[name.strip()] = value.strip()
        return headers


class JsonValue(StringField):  # type: ignore[misc]
    """A JSON value; what is not JSON is meant as a text."""

    def process_data(self, value: Any) -> None:
        self.data = value if isinstance(value, str) and not _reads_as_json(value) else _dumped(value)

    def wire(self) -> Any:
        text = (self.data or "").strip()
        if not text:
            return None
        return json.loads(text) if _reads_as_json(text) else text


def _reads_as_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _dumped(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _duration_widget(field: "Duration", **attributes: Any) -> Markup:
    amount, unit = field.data or ("", "60")
    options = Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(size, Markup(" selected") if size == unit else "", word)
        for size, word in field.units.items()
    )
    return Markup(
        '<span class="duration">{}<select name="{}" id="{}.unit" class="form-select" aria-label="Unit">{}</select></span>'
    ).format(NumberInput(step="any")(_Amount(field, amount), **attributes), field.name, field.id, options)


class _Amount:
    """The first input of a `Duration`, as WTForms' own widget wants it."""

    def __init__(self, field: "Duration", value: str) -> None:
        self.id, self.name, self.flags = field.id, field.name, field.flags
        self.value = value

    def _value(self) -> str:
        return self.value


class Duration(Field):  # type: ignore[misc]
    """An amount and its unit, two inputs of one name; minutes on the wire."""

    widget = staticmethod(_duration_widget)

    def __init__(self, *args: Any, units: dict[str, str] | None = None, **values: Any) -> None:
        super().__init__(*args, **values)
        self.units = units or UNITS

    def process_data(self, value: Any) -> None:
        if not isinstance(value, int | float):
            self.data = value
            return
        seconds = round(value * 60)
        fitting = [size for size in self.units if seconds % int(size) == 0 and seconds >= int(size)]
        unit = fitting[-1] if fitting else next(iter(self.units))
        self.data = (f"{seconds / int(unit):g}", unit)

    def process_formdata(self, valuelist: list[str]) -> None:
        if len(valuelist) == 2:
            unit = valuelist[1] if valuelist[1] in self.units else "60"
            self.data = (valuelist[0].strip(), unit)

    def wire(self) -> Any:
        text, unit = self.data or ("", "60")
        amount = number(text) if text else None
        if not isinstance(amount, int | float):
            return amount
        try:
            minutes = amount * int(unit) / 60
            return int(minutes) if minutes == int(minutes) else minutes
        except (OverflowError, ValueError):
            # Infinite, not a number, or beyond all numbers: no number for the schema.
            return text
