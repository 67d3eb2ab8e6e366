"""The kinds of input a form may have. Each turns into the wire's JSON with `wire()`; judging is left to the schemas.

`wire()` depends only on what survives the way through a browser: a one-line input loses line breaks, a text area has
one kind of them. So the wire of a form that shows a record equals the wire of the same form sent back untouched, and
`web.ui.form_values.changes` can tell what a person has changed. `wire_after(before)` is asked for a changed field only.
"""

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup
from wtforms import Field, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import NumberInput, TextArea, TextInput

from web.ui import escapes

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


def one_kind_of_line_end(text: str) -> str:
    """`text` with `\\n` for every line end: a text area does not keep which kind there was."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def one_line(text: str) -> str:
    """`text` without line ends: a one-line input drops them."""
    return text.replace("\r", "").replace("\n", "")


def is_untouched(sent: str, stored: str) -> bool:
    """Whether `sent` is what a one-line input sends that shows `stored` and was not touched."""
    return one_line(sent) == one_line(stored)


class Text(StringField):  # type: ignore[misc]
    """One line; empty is `absent` on the wire (None removes the field)."""

    def __init__(self, *args: Any, absent: Any = None, **values: Any) -> None:
        super().__init__(*args, **values)
        self.absent = absent

    def wire(self) -> Any:
        return one_line(self.data or "").strip() or self.absent


class LongText(TextAreaField):  # type: ignore[misc]
    """Several lines. Line ends are `\\n`, except in a text that had only `\\r\\n` before: it keeps them."""

    def __init__(self, *args: Any, absent: Any = None, **values: Any) -> None:
        super().__init__(*args, **values)
        self.absent = absent

    def wire(self) -> Any:
        return one_kind_of_line_end(self.data or "") or self.absent

    def wire_after(self, before: Field) -> Any:
        """The changed text with the line ends that the text in `before` has."""
        return _with_line_ends_of(before.data or "", self.wire())


def _with_line_ends_of(old: str, text: Any) -> Any:
    only_windows = "\r\n" in old and old.count("\n") == old.count("\r") == old.count("\r\n")
    return text.replace("\n", "\r\n") if only_windows and isinstance(text, str) else text


class Exact(StringField):  # type: ignore[misc]
    """A text whose blanks count: secrets, user names and keywords. Shown in a text area if it holds a line end."""

    def widget(self, field: Field, **attributes: Any) -> Markup:
        several = any(end in (self.data or "") for end in "\r\n")
        drawn: Markup = TextArea()(field, rows=2, **attributes) if several else TextInput()(field, **attributes)
        return drawn

    def wire(self) -> Any:
        return one_kind_of_line_end(self.data or "") or None

    def wire_after(self, before: Field) -> Any:
        """The changed text with the line ends that the text in `before` has."""
        return _with_line_ends_of(before.data or "", self.wire())


class Escaped(StringField):  # type: ignore[misc]
    """A text that may hold line ends and control characters, shown and typed as escapes such as `\\r\\n`."""

    def process_data(self, value: Any) -> None:
        self.data = escapes.escaped(value) if isinstance(value, str) else value

    def wire(self) -> Any:
        return escapes.plain(one_line(self.data or "")) or None


class Number(StringField):  # type: ignore[misc]
    """A number; empty is absent."""

    widget = NumberInput(step="any")

    def wire(self) -> Any:
        text = str(self.data if self.data is not None else "").strip()
        return number(text) if text else None


class Choice(SelectField):  # type: ignore[misc]
    """One of a few words, given as (word, what it says) each; an unknown one is refused by the schema.

    A value that is not offered is shown as well: a browser would choose the first option in its place.
    """

    def __init__(self, *args: Any, choices: Iterable[tuple[str, str]], **values: Any) -> None:
        super().__init__(*args, choices=dict(choices), validate_choice=False, **values)

    choices: dict[str, str]

    def process_data(self, value: Any) -> None:
        self.data = value
        if isinstance(value, str) and value and value not in self.choices:
            self.choices = {**self.choices, value: value}

    def wire(self) -> Any:
        return self.data or None


class Several(SelectMultipleField):  # type: ignore[misc]
    """Any of a list, given as (id, name) each and drawn as checkboxes.

    What is chosen and not offered (a disabled location) has a box as well, so that it stays until it is unticked.
    """

    def __init__(self, *args: Any, choices: Iterable[tuple[str, str]], **values: Any) -> None:
        super().__init__(*args, choices=dict(choices), validate_choice=False, **values)

    choices: dict[str, str]

    def process_data(self, value: Any) -> None:
        self.data = [str(one) for one in value or ()]
        missing = [one for one in self.data if one not in self.choices]
        self.choices = {**self.choices, **{one: f"{one} (not available)" for one in missing}}

    def wire(self) -> Any:
        position = {one: number for number, one in enumerate(self.choices)}
        return sorted(map(str, self.data or ()), key=lambda one: position.get(one, len(position)))

    def wire_after(self, before: Field) -> Any:
        """The changed choice, what stays in the order it had in `before`."""
        chosen, old = self.wire(), [str(one) for one in before.data or ()]
        return [one for one in old if one in chosen] + [one for one in chosen if one not in old]


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
        return [word.strip() for word in one_line(self.data or "").split(",") if word.strip()]


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
        seconds = round(value * 60, 6)
        fitting = [size for size in self.units if seconds % int(size) == 0 and seconds >= int(size)]
        unit = fitting[-1] if fitting else next(iter(self.units))
        amount = seconds / int(unit)
        self.data = (str(int(amount)) if amount == int(amount) else repr(amount), unit)

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
