"""The ground that all tests stand on: a real PostgreSQL, a real Valkey, settings of their own.

Each test process has servers of its own. Valkey is up before collection, because the broker is made when an actor is
imported; PostgreSQL starts with the first test that wants it. `SUPERCHECK_TEST_DATABASE_URL` names another server
instead, on which a database is made for each test process.
"""

import base64
import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis

import settings
from ops import embedded

_stack = contextlib.ExitStack()
NO_SERVER = "postgresql://nobody@127.0.0.1:1/none"

SettingsOf = Callable[..., settings.Settings]


def pytest_configure(config: pytest.Config) -> None:
    """Start Valkey and set the environment that every module reads at import."""
    for variable in settings.variable_names():
        os.environ.pop(variable, None)
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        return  # the controller of several test processes runs no test
    os.environ["REDIS_URL"] = _stack.enter_context(embedded.valkey())
    os.environ["DATABASE_URL"] = NO_SERVER
    os.environ["SECRET_KEY"] = "a secret key for tests only, long enough"
    os.environ["CREDENTIAL_ENCRYPTION_KEY"] = base64.b64encode(b"sixteen bytes ok").decode()
    os.environ["ALLOW_INTERNAL_TARGETS"] = "true"
    settings.get.cache_clear()


def pytest_unconfigure() -> None:
    _stack.close()


@pytest.fixture(autouse=True)
def no_outage_remembered() -> None:
    """What one test did to a server is no reason for the next one to wait less for it."""
    from models.connections import dependencies

    for dependency in dependencies.ALL:
        dependency.reset()


@pytest.fixture(scope="session")
def redis_url() -> str:
    return os.environ["REDIS_URL"]


@pytest.fixture(scope="session")
def migrated_url() -> Iterator[str]:
    """The URL of a database of this test process, at the newest migration."""
    from ops import migrations

    given = os.environ.get("SUPERCHECK_TEST_DATABASE_URL")
    with contextlib.ExitStack() as stack:
        url = _new_database(given) if given else stack.enter_context(embedded.postgres())
        os.environ["DATABASE_URL"] = url
        settings.get.cache_clear()
        migrations.upgrade(url)
        yield url
        _close_pool()
        if given:
            with psycopg.connect(given, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")
        os.environ["DATABASE_URL"] = NO_SERVER
        settings.get.cache_clear()


def _new_database(server: str) -> str:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.rpartition("/")[0] + "/" + name


def _close_pool() -> None:
    from models.connections import database

    database.close()


@pytest.fixture
def database_url(migrated_url: str) -> Iterator[str]:
    """The migrated database, empty again after the test, and so is Valkey."""
    yield migrated_url
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " AND NOT c.relispartition AND c.relname <> 'alembic_version'"
        ).fetchall()
        connection.execute("TRUNCATE " + ", ".join(row[0] for row in tables) + " CASCADE")
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushall()


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the test's own that commits at once: it sees what everybody sees."""
    with psycopg.connect(database_url, autocommit=True) as made:
        made.execute("SET TIME ZONE 'UTC'")
        yield made


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> SettingsOf:
    """Call it with fields of `Settings` to change them for this test."""

    def change(**changes: Any) -> settings.Settings:
        wanted = dataclasses.replace(settings.get(), **changes)
        monkeypatch.setattr(settings, "get", lambda: wanted)
        return wanted

    return change
