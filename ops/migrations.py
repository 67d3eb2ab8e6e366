"""Brings a database to the newest schema."""

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
#: One migration at a time, however many machines start together: PostgreSQL's advisory lock of this number.
LOCK = 0x5C4EC401


def alembic_config() -> Config:
    """Alembic's configuration, with the folder found wherever we are installed."""
    config = Config(str(FOLDER / "alembic.ini"))
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def upgrade(database_url: str) -> bool:
    """Migrate the database of `DATABASE_URL` to the newest revision; answers whether there was anything to do.

    `database_url` must be that of the settings. Raises `Problem` where the server is too old, psycopg's errors
    where it is away.
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
    """Whether the database is at the newest revision."""
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=pool.NullPool)
    with engine.connect() as connection:
        reached = MigrationContext.configure(connection).get_current_heads()
    return set(reached) == set(ScriptDirectory.from_config(alembic_config()).get_heads())
