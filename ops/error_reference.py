"""Write `docs/errors.md` from the table of errors: `python -m ops.error_reference`."""

from collections.abc import Iterable
from pathlib import Path

import faults
from faults import Fault, Source

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"

_HEAD = """# Errors

Every error that Supercheck reports has one of the codes below. This page is written from `faults.py` by
`python -m ops.error_reference`; change it there.

*Severity* is `low`, `medium`, `high` or `critical`. *Retry* says whether the same request or check may succeed later without
a change.
"""
_SECTIONS = {
    Source.REQUEST: """## API responses

The body of an error response is `{"error": {"code", "message", "severity", "correlationId", "guidance", "fields"}}`. Its
message and guidance are often more specific than the general ones listed here. The correlation id is also in the response
header `X-Correlation-ID` and in the log lines of the request and of the work that it started.
""",
    Source.CHECK: """## Checks

Reported in a result's `details.errorCode`, in an alert's `errorCode` and on the monitor's page. The `status` of a result is
`down` if the target is at fault and `error` if Supercheck is.
""",
    Source.CERTIFICATE: """## Certificates

Reported in the `errorCode` of alerts of type `monitor.ssl_expiring`.
""",
}


def page() -> str:
    """Return the whole page as Markdown."""
    return "\n".join([_HEAD, *(_section(source) for source in Source)])


def _section(source: Source) -> str:
    rows = [(code, fault) for code, fault in faults.FAULTS.items() if source in fault.sources]
    columns = ["Code", "What happened", "What to do", "Severity", "Retry"]
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
