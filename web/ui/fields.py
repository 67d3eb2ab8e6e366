"""The kinds of input of forms. `wire()` returns the value as JSON for the API; the schemas validate it.

`wire()` ignores what a browser does not preserve: a one-line input drops line breaks, a text area has one kind of them.
So the JSON of a form that shows a record equals that of the same form sent back untouched, and
`web.ui.form_values.difference` finds what a person has changed. `wire_after(before)` is called for changed fields only.
"""

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup
from wtforms import Field, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import NumberInput, TextArea, TextInput

from web.ui import escapes

#: Seconds -> name of the unit.
UNITS = {"1": "seconds", "60": "minutes", "3600": "hours", "86400": "days"}


def number(text: str) -> int | float | str:
    """Return `text` as a number, or unchanged if it is none, so that the schema rejects it."""
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def one_kind_of_line_end(text: str) -> str:
    """Return `text` with `\\n` for every line end: a text area does not preserve the kind."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def one_line(text: str) -> str:
    """Return `text` without line ends, which a one-line input drops."""
    return text.replace("\r", "").replace("\n", "")


def is_untouched(sent: str, stored: str) -> bool:
    """Return whether `sent` is what an untouched one-line input that shows `stored` sends."""
    return one_line(sent) == one_line(stored)


class Text(StringField):  # type: ignore[misc]
    """One line. Empty becomes `absent` in JSON; None removes the field."""

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
        """Return the changed text with the line ends of the text in `before`."""
        return _with_line_ends_of(before.data or "", self.wire())


def _with_line_ends_of(old: str, text: Any) -> Any:
    only_windows = "\r\n" in old and old.count("\n") == old.count("\r") == old.count("\r\n")
    return text.replace("\n", "\r\n") if only_windows and isinstance(text, str) else text


class Exact(StringField):  # type: ignore[misc]
    """A text whose spaces count: secrets, user names and keywords. A text area shows it if it contains a line end."""

    def widget(self, field: Field, **attributes: Any) -> Markup:
        several = any(end in (self.data or "") for end in "\r\n")
        drawn: Markup = TextArea()(field, rows=2, **attributes) if several else TextInput()(field, **attributes)
        return drawn

    def wire(self) -> Any:
        return one_kind_of_line_end(self.data or "") or None

    def wire_after(self, before: Field) -> Any:
        """Return the changed text with the line ends of the text in `before`."""
        return _with_line_ends_of(before.data or "", self.wire())


class Escaped(StringField):  # type: ignore[misc]
    """A text that may contain line ends and control characters, shown and typed as escapes such as `\\r\\n`."""

    def process_data(self, value: Any) -> None:
        self.data = escapes.escaped(value) if isinstance(value, str) else value

    def wire(self) -> Any:
        return escapes.plain(one_line(self.data or "")) or None


class Number(StringField):  # type: ignore[misc]
    """A number. Empty is absent."""

    widget = NumberInput(step="any")

    def wire(self) -> Any:
        text = str(self.data if self.data is not None else "").strip()
        return number(text) if text else None


class Choice(SelectField):  # type: ignore[misc]
    """One of several options, each given as (value, label). The schema rejects unknown values.

    A stored value that is not offered is added: otherwise a browser would select the first option.
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
    """Any number of options, each given as (id, name), shown as checkboxes.

    A selected option that is not offered, such as a disabled location, has a checkbox too, so that it stays selected.
    """

    def __init__(self, *args: Any, choices: Iterable[tuple[str, str]], **values: Any) -> None:
        super().__init__(*args, choices=dict(choices), validate_choice=False, **values)

    choices: dict[str, str]

    def process_data(self, value: Any) -> None:
        self.data = [str(option) for option in value or ()]
        missing = [option for option in self.data if option not in self.choices]
        self.choices = {**self.choices, **{option: f"{option} (not available)" for option in missing}}

    def wire(self) -> Any:
        position = {option: number for number, option in enumerate(self.choices)}
        return sorted(map(str, self.data or ()), key=lambda option: position.get(option, len(position)))

    def wire_after(self, before: Field) -> Any:
        """Return the changed selection. Options that stay keep their order in `before`."""
        selected, old = self.wire(), [str(option) for option in before.data or ()]
        return [option for option in old if option in selected] + [option for option in selected if option not in old]


class Switch(Field):  # type: ignore[misc]
    """On or off. The form also has a hidden `off`, so that an unchecked box differs from a missing one."""

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
    """The first input of a `Duration`, as the widget of WTForms needs it."""

    def __init__(self, field: "Duration", value: str) -> None:
        self.id, self.name, self.flags = field.id, field.name, field.flags
        self.value = value

    def _value(self) -> str:
        return self.value


class Duration(Field):  # type: ignore[misc]
    """An amount and its unit: two inputs with one name. In JSON it is in minutes."""

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
            # The amount is infinite or NaN: return the text, which the schema rejects.
            return text
