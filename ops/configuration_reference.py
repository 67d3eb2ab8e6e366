"""Write `ops/configuration.md` from the settings: `python -m ops.configuration_reference`."""

from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from settings import Settings
from settings.setting import Section

PAGE = Path(__file__).with_name("configuration.md")

_HEAD = """# Configuration

Supercheck is configured by environment variables, which each process reads once when it starts. A blank value counts as
unset. A wrong value stops the start, with one line that names the variable. `supercheck doctor` checks the installation.

This page is written from `settings/` by `python -m ops.configuration_reference`; change it there.

- Variables marked † are checked at the start, but nothing uses them yet.
- Variables marked ⚿ hold a secret. `<VARIABLE>_FILE` may name a file that contains the value instead.
- Lists are separated by commas. `true` and `false` may also be written `1`/`0`, `yes`/`no`, `on`/`off`.
"""
_INTRODUCTIONS = {
    Section.KEYS: """With embedded servers both are created at the first start and kept in the data directory, readable by the owner only.
With your own servers you must set them, to the same values for every process.
""",
    Section.FIRST_START: """Created if there is no account yet. Unset values are generated and printed once.
""",
    Section.STORAGE_FOR_ARTIFACTS: """If `S3_ENDPOINT` is unset, artifacts are stored in the data directory.
""",
    Section.MAIL: """Defaults for e-mail providers, which may each name their own server.
""",
}


def page() -> str:
    """Return the whole page, as Markdown."""
    return "\n".join([_HEAD, *(_section(section) for section in Section)])


def _section(section: Section) -> str:
    rows = [_row(field) for field in fields(Settings) if field.metadata["section"] is section]
    introduction = _INTRODUCTIONS.get(section)
    head = [
        "## " + section,
        "",
        *([introduction] if introduction else []),
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def _row(field: "Field[Any]") -> str:
    facts = field.metadata
    signs = (" ⚿" if facts["secret"] else "") + (" †" if facts["unused"] else "")
    return f"| `{facts['variable']}`{signs} | {facts['shown'] or _default(field.default)} | {facts['meaning']} |"


def _default(value: Any) -> str:
    """Return a default as a reader would write it."""
    if value in ("", 0, ()) and value is not False:
        return "`0`" if value == 0 and not isinstance(value, str | tuple) else "unset"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
