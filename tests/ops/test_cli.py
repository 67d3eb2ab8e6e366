"""The command line beside an installation with embedded servers: it finds them in the data directory."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import settings
from ops import embedded


def _supercheck(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        env=kept | {"SUPERCHECK_DATA_DIR": str(directory)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("installation") / "var"
    with embedded.postgres(made / "postgres"), embedded.valkey(made / "valkey"):
        yield made


def test_accounts_and_keys_are_made_where_the_embedded_servers_are(directory: Path) -> None:
    migrated = _supercheck(directory, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert "Password" in migrated.stdout
    again = _supercheck(directory, "migrate")
    assert again.stdout == "The database is at the newest schema already.\n"
    key = _supercheck(directory, "create-api-key").stdout.strip()
    assert settings.API_KEY.fullmatch(key)
    user = _supercheck(directory, "create-user", "Someone@Example.org", "--role", "project_viewer")
    assert user.stdout.startswith("Sign in as someone@example.org with the password ")
    twice = _supercheck(directory, "create-user", "someone@example.org")
    assert (twice.returncode, len(twice.stderr.splitlines())) == (1, 1)


def test_keys_are_rotated_in_two_steps_with_a_restart_between(directory: Path) -> None:
    assert _supercheck(directory, "migrate").returncode == 0
    first = _supercheck(directory, "rotate-keys", "--new-key")
    assert "Restart Supercheck" in first.stdout, first.stderr
    second = _supercheck(directory, "rotate-keys")
    assert second.returncode == 0, second.stderr
    assert "All stored credentials are encrypted with the first key." in second.stdout


def test_locations_are_managed_by_the_rules_of_the_page(directory: Path) -> None:
    assert _supercheck(directory, "migrate").returncode == 0
    for command, said in (
        (("add", "moon", "Far away"), "Location moon added."),
        (("rename", "moon", "Near by"), "Location moon renamed to Near by."),
        (("default", "moon"), "Location moon is now the default."),
        (("disable", "us-east"), "Location us-east disabled."),
        (("enable", "us-east"), "Location us-east enabled."),
    ):
        done = _supercheck(directory, "locations", *command)
        assert done.stdout.startswith(said), (command, done.stderr)
    first = _supercheck(directory, "locations", "list").stdout.splitlines()[0].split()
    assert (first[:2], first[-2:]) == (["moon", "default"], ["Near", "by"])
    assert _supercheck(directory, "locations", "default", "us-east").returncode == 0
    assert _supercheck(directory, "locations", "remove", "moon").stdout == "Location moon removed.\n"
    refused = _supercheck(directory, "locations", "remove", "us-east")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "listed in LOCATIONS" in refused.stderr


def test_doctor_finds_the_embedded_servers_and_misses_the_processes(directory: Path) -> None:
    done = _supercheck(directory, "doctor")
    assert done.returncode == 1
    assert "PostgreSQL 18 responds" in done.stdout
    assert "Redis responds" in done.stdout
    assert "problem  scheduler: none seen" in done.stdout
    assert done.stderr == ""


def test_without_an_installation_one_line_says_how_to_start(tmp_path: Path) -> None:
    done = _supercheck(tmp_path / "nothing", "create-api-key")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "supercheck up" in done.stderr


def test_a_stopped_database_is_one_line(tmp_path: Path) -> None:
    directory = tmp_path / "var"
    with embedded.postgres(directory / "postgres"), embedded.valkey(directory / "valkey"):
        pass
    done = _supercheck(directory, "create-api-key")
    assert done.returncode == 1
    assert done.stderr == "supercheck: PostgreSQL does not respond: start Supercheck first, or correct DATABASE_URL.\n"
