"""The lock files name every version and the hash of every file, and nothing is installed around them."""

import re
from pathlib import Path

import pytest

from ops.lock import FILES, ROOT

#: One requirement with all that belongs to it: its lines end with a backslash until the last one.
_REQUIREMENT = re.compile(r"^(?!#|\s)(?:.*\\\n)*.*$", re.MULTILINE)


def requirements(name: str) -> list[str]:
    return [text for text in _REQUIREMENT.findall((ROOT / name).read_text()) if text.strip()]


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_has_its_version_and_hashes(name: str) -> None:
    found = requirements(name)
    assert len(found) > 40
    unpinned = [text.split("\n")[0] for text in found if "==" not in text or "--hash=sha256:" not in text]
    assert unpinned == []
    assert re.search(r"^setuptools==", (ROOT / name).read_text(), re.MULTILINE), "what builds is pinned, too"


@pytest.mark.parametrize("name", FILES)
def test_no_package_index_is_named(name: str) -> None:
    assert "://" not in (ROOT / name).read_text()


def test_nothing_is_installed_without_hashes() -> None:
    lines = [
        line for line in Path(ROOT / "Makefile").read_text().splitlines() if "$(PIP) " in line or "pip install" in line
    ]
    installing = [line for line in lines if not line.startswith("PIP :=")]
    assert len(installing) == 3
    for line in installing:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation -e ." in line, line
