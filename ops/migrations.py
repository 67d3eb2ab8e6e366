"""Migrate a database to the newest schema."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool

from ops.problem import Problem

FOLDER = Path(__file__).parents[1] / "migrations"
OLDEST_SERVER = 14
#: PostgreSQL's advisory lock of this number: only one machine migrates if several start together.
LOCK = 0x5C4EC401


def alembic_config() -> Config:
    """Return Alembic's configuration, with the absolute path of the migrations."""
    config = Config(str(FOLDER / "alembic.ini"))
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def upgrade(database_url: str) -> bool:
    """Migrate the database of `DATABASE_URL` to the newest revision; return whether there was anything to do.

    `database_url` must be the one in the settings. Raise `Problem` if the server is too old, and psycopg's errors if it is
    not reachable.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        version = connection.info.server_version // 10_000
        if version < OLDEST_SERVER:
            raise Problem(f"The PostgreSQL server is version {version}: Supercheck needs {OLDEST_SERVER} or newer.")
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        if is_current(database_url):
            return False
        command.upgrade(alembic_config(), "head")
        return True


def is_current(database_url: str) -> bool:
    """Return whether the database is at the newest revision."""
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=pool.NullPool)
    with engine.connect() as connection:
        reached = MigrationContext.configure(connection).get_current_heads()
    return set(reached) == set(ScriptDirectory.from_config(alembic_config()).get_heads())
