"""The page of errors."""

import re

import faults
from ops import error_reference


def test_the_page_of_errors_is_current() -> None:
    """Where it is not: python -m ops.error_reference."""
    assert error_reference.PAGE.read_text(encoding="utf-8") == error_reference.page()


def test_every_code_is_on_the_page() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", error_reference.page(), re.MULTILINE)) == set(faults.FAULTS)


def test_every_row_has_as_many_cells_as_its_heading() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", error_reference.page(), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
