"""How one setting is declared and read: `setting`, `secret`, and the error of a wrong value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, field
from enum import StrEnum
from pathlib import Path
from typing import Any

#: A file that a `_FILE` variable names holds one value; more than this is the wrong file.
MAX_FILE_BYTES = 65_536


class SettingsError(Exception):
    """One environment variable is wrong; the text names it and says what to do."""


class Section(StrEnum):
    """The sections of the configuration reference, in its order."""

    SERVERS = "Servers"
    WEB = "Web"
    KEYS = "Keys"
    FIRST_START = "First start"
    PROCESSES_AND_LOCATIONS = "Processes and locations"
    CHECKS = "Checks"
    ALERTS = "Alerts"
    RETENTION = "Retention"
    STORAGE_FOR_ARTIFACTS = "Storage for artifacts"
    MAIL = "Mail"
    LOGS = "Logs"


def setting(
    section: Section,
    variable: str,
    parser: Callable[[str], Any],
    default: Any,
    meaning: str,
    *,
    shown: str = "",
    unused: bool = False,
) -> Any:
    """Declare a setting.

    `parser` turns the text of the variable into the value and raises `ValueError` with what the text must be.
    `meaning` and `shown` (the default in words, if it differs from `default`) go into the configuration reference, under
    `section`. `unused`: the variable is checked at the start, but nothing reads it yet.
    """
    return field(
        default=default, metadata=_metadata(section, variable, parser, meaning, shown, unused, is_secret=False)
    )


def secret(
    section: Section,
    variable: str,
    parser: Callable[[str], Any],
    default: Any,
    meaning: str,
    *,
    shown: str = "unset",
    unused: bool = False,
) -> Any:
    """Declare a setting whose value never shows in `repr`, and which `<variable>_FILE` may name a file for."""
    metadata = _metadata(section, variable, parser, meaning, shown, unused, is_secret=True)
    return field(default=default, repr=False, metadata=metadata)


def _metadata(
    section: Section,
    variable: str,
    parser: Callable[[str], Any],
    meaning: str,
    shown: str,
    unused: bool,
    *,
    is_secret: bool,
) -> dict[str, Any]:
    return {
        "variable": variable,
        "parser": parser,
        "meaning": meaning,
        "section": section,
        "shown": shown,
        "unused": unused,
        "secret": is_secret,
    }


def convert_all(declared: Iterable[Field[Any]], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return field name -> value for every declared setting that `environ` sets. Raise `SettingsError`."""
    values: dict[str, Any] = {}
    for item in declared:
        text = _text_of(item, environ)
        if not text:
            continue
        try:
            values[item.name] = item.metadata["parser"](text)
        except ValueError as error:
            # The value itself is left out: it may be a secret.
            raise SettingsError(f"{item.metadata['variable']} is wrong: it must be {error}.") from None
    return values


def _text_of(item: "Field[Any]", environ: Mapping[str, str]) -> str:
    """Return the variable's text, or for a secret the content of the file that `<variable>_FILE` names."""
    variable = item.metadata["variable"]
    text = environ.get(variable, "").strip()
    file = environ.get(f"{variable}_FILE", "").strip() if item.metadata["secret"] else ""
    if not file:
        return text
    if text:
        raise SettingsError(f"{variable} and {variable}_FILE are both set: keep one of them.")
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{variable}_FILE is wrong: {file} cannot be read ({error.strerror}).") from None
    if len(content) > MAX_FILE_BYTES:
        raise SettingsError(f"{variable}_FILE is wrong: {file} is larger than {MAX_FILE_BYTES} bytes.")
    try:
        return content.decode().strip()
    except UnicodeDecodeError:
        raise SettingsError(f"{variable}_FILE is wrong: {file} is not UTF-8 text.") from None
