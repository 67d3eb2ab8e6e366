"""The configuration reference, and what a wrong value says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import settings
from ops import configuration_reference

REFERENCE = Path(__file__).parents[2] / "ops" / "configuration.md"
ROW = re.compile(r"^\| `([A-Z0-9_]+)`", re.M)


def _supercheck(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_reference_names_every_variable_once_and_no_other() -> None:
    assert sorted(ROW.findall(REFERENCE.read_text())) == sorted(settings.variable_names())


def test_the_reference_is_written_from_the_settings() -> None:
    assert REFERENCE.read_text() == configuration_reference.page()


@pytest.mark.parametrize(
    "variable, value",
    [("PORT", "eighty"), ("LOG_FORMAT", "xml"), ("DATABASE_URL", "mysql://user:hunter2@host/db"), ("LOCATIONS", "Ä")],
)
def test_a_wrong_value_is_one_line_that_names_the_variable_and_not_the_value(variable: str, value: str) -> None:
    done = _supercheck("up", **{variable: value})
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert variable in done.stderr
    assert value not in done.stderr + done.stdout


def test_real_servers_without_keys_refuse_to_start_and_say_how_to_make_one(tmp_path: Path) -> None:
    done = _supercheck(
        "up",
        DATABASE_URL="postgresql://user@127.0.0.1:1/db",
        REDIS_URL="redis://127.0.0.1:1/0",
        SUPERCHECK_DATA_DIR=str(tmp_path / "var"),
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "SECRET_KEY is missing: make one with" in done.stderr


def test_one_server_without_the_other_refuses_to_start() -> None:
    done = _supercheck("up", REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert "DATABASE_URL is missing" in done.stderr
