"""Writes `docs/errors.md` from the table of errors: `python -m ops.error_reference`."""

from collections.abc import Iterable
from pathlib import Path

import faults
from faults import Fault, Source

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"

_HEAD = """# Errors

Every error that Supercheck reports has one of the codes below, and no other. The table is made from `faults.py` by
`python -m ops.error_reference`; change it there.

*Severity* is `low`, `medium`, `high` or `critical`. *Again* says whether the same may go well later without anybody
changing anything.
"""
_SECTIONS = {
    Source.REQUEST: """## Answers of the API

Every answer that is an error is `{"error": {"code", "message", "severity", "correlationId", "guidance", "fields"}}`.
Its message and guidance are often more precise than the general ones given here. The correlation id is also in the
response header `X-Correlation-ID`, and in the log lines of the request and of all that it caused.
""",
    Source.CHECK: """## Checks

In a result's `details.errorCode`, in an alert's `errorCode`, on a monitor's page. A result says in `status` whose fault
it was: `down` is the target's, `error` is ours.
""",
    Source.CERTIFICATE: """## Certificates

In the `errorCode` of alerts of type `monitor.ssl_expiring`.
""",
}


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_HEAD, *(_section(source) for source in Source)])


def _section(source: Source) -> str:
    rows = [(code, fault) for code, fault in faults.FAULTS.items() if source in fault.sources]
    columns = ["Code", "What happened", "What to do", "Severity", "Again"]
    if source is Source.REQUEST:
        columns.insert(1, "Status")
    lines = [_line(columns), _line("---" for _ in columns)]
    lines += [_line(_cells(code, fault, source)) for code, fault in rows]
    return _SECTIONS[source] + "\n" + "\n".join(lines) + "\n"


def _cells(code: str, fault: Fault, source: Source) -> list[str]:
    cells = [f"`{code}`", fault.message, fault.guidance, fault.severity, "yes" if fault.retryable else "no"]
    if source is Source.REQUEST:
        cells.insert(1, str(fault.status))
    return [cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
