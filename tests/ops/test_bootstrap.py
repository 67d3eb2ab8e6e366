"""The first account, and accounts and keys from the command line."""

import json
import stat
from pathlib import Path
from typing import Any

import psycopg
import pytest

import settings
from models.tables import Role
from ops import bootstrap, locations
from ops.cli import ROLES
from ops.problem import Problem
from settings import values
from tests.conftest import SettingsOf


@pytest.fixture
def config(database_url: str, settings_of: SettingsOf, tmp_path: Path) -> settings.Settings:
    return settings_of(data_dir=tmp_path / "var")


def _count(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row
    return int(row[0])


def test_the_first_start_makes_an_account_and_shows_what_it_made_up_once(
    config: settings.Settings, connection: psycopg.Connection[Any]
) -> None:
    first = bootstrap.first_account(config)
    assert first.password in "\n".join(first.lines())
    assert first.api_key in "\n".join(first.lines())
    first.forget()
    again = bootstrap.first_account(config)
    assert again.lines() == []
    assert [_count(connection, table) for table in ("organizations", "projects", "users", "members", "api_keys")] == [
        1
    ] * 5
    assert _count(connection, "locations") == 3


def test_a_start_killed_before_it_showed_the_password_shows_it_next_time(config: settings.Settings) -> None:
    first = bootstrap.first_account(config)
    again = bootstrap.first_account(config)
    assert again.lines() == first.lines() != []


def test_what_was_made_up_lies_in_a_private_file_until_it_was_shown(config: settings.Settings) -> None:
    first = bootstrap.first_account(config)
    file = config.data_dir / "first_account.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["password"] == first.password
    first.forget()
    assert not file.exists()


def test_given_credentials_are_used_and_not_printed(
    database_url: str, settings_of: SettingsOf, tmp_path: Path, connection: psycopg.Connection[Any]
) -> None:
    key = "k" * 40
    config = settings_of(data_dir=tmp_path, admin_email="Me@Example.org", admin_password="hunter2hunter2", api_key=key)
    shown = "\n".join(bootstrap.first_account(config).lines())
    assert "me@example.org" in shown
    assert "hunter2" not in shown
    assert key not in shown
    row = connection.execute("SELECT count(*) FROM api_keys WHERE key_hash = sha256(%s)", (key.encode(),)).fetchone()
    assert row == (1,)


def test_the_first_accounts_secrets_do_not_show_in_repr(config: settings.Settings) -> None:
    first = bootstrap.first_account(config)
    assert first.password not in repr(first)
    assert first.api_key not in repr(first)


def test_the_command_lines_roles_are_the_tables_roles() -> None:
    assert tuple(str(role) for role in Role) == ROLES


def test_a_user_is_made_once_and_then_only_given_a_new_password(
    config: settings.Settings, connection: psycopg.Connection[Any]
) -> None:
    bootstrap.first_account(config)
    made = bootstrap.create_user(config, "New@Example.org", "", "project_viewer", reset=False)
    assert len(made) >= bootstrap.SHORTEST_PASSWORD
    with pytest.raises(Problem, match="--reset-password"):
        bootstrap.create_user(config, "new@example.org", "", "project_viewer", reset=False)
    connection.execute(
        "INSERT INTO user_sessions (id, user_id, token_hash) SELECT gen_random_uuid(), id, 'x' FROM users"
        " WHERE email = 'new@example.org'"
    )
    assert (
        bootstrap.create_user(config, "new@example.org", "another one", "project_viewer", reset=True) == "another one"
    )
    row = connection.execute("SELECT count(*) FROM user_sessions").fetchone()
    assert row == (0,), "sessions made with the old password end"


def test_what_the_command_line_does_is_in_the_organisations_trail(
    config: settings.Settings, connection: psycopg.Connection[Any]
) -> None:
    bootstrap.first_account(config)
    bootstrap.create_user(config, "new@example.org", "", "project_viewer", reset=False)
    bootstrap.create_user(config, "new@example.org", "", "project_viewer", reset=True)
    bootstrap.create_api_key(config, "", "Pipeline", "project_viewer")
    locations.add(config, "vps", "Rented server")
    rows = connection.execute(
        "SELECT action, project_id, organization_id IS NOT NULL, details ? 'commandLine', details::text"
        " FROM audit_events ORDER BY created_at"
    ).fetchall()
    actions = [row[0] for row in rows]
    assert actions == [
        "account.created",
        "account.created",
        "password.reset",
        "api_key.created",
        "location.created",
    ]
    assert all(row[1:4] == (None, True, True) for row in rows)
    assert "Pipeline" in rows[3][4]


def test_a_short_or_simple_password_is_refused(config: settings.Settings) -> None:
    bootstrap.first_account(config)
    with pytest.raises(Problem, match="too short"):
        bootstrap.create_user(config, "new@example.org", "short", "org_admin", reset=False)
    with pytest.raises(Problem, match="too simple"):
        bootstrap.create_user(config, "new@example.org", "abababababab", "org_admin", reset=False)


def test_a_key_of_an_unknown_project_is_refused(config: settings.Settings) -> None:
    bootstrap.first_account(config)
    with pytest.raises(Problem, match="no project nowhere"):
        bootstrap.create_api_key(config, "nowhere", "key", "project_editor")


def test_only_the_hash_of_a_key_is_kept(config: settings.Settings, connection: psycopg.Connection[Any]) -> None:
    bootstrap.first_account(config)
    key = bootstrap.create_api_key(config, "", "Command line", "project_editor")
    assert values.API_KEY.fullmatch(key)
    rows = connection.execute("SELECT a::text FROM api_keys a").fetchall()
    assert all(key not in str(row[0]) for row in rows)
    found = connection.execute("SELECT name FROM api_keys WHERE key_hash = sha256(%s)", (key.encode(),)).fetchone()
    assert found == ("Command line",)
