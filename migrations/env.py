"""Alembic's environment: the tables of `models.tables`, the database of `DATABASE_URL`.

Flask-Migrate calls it for `supercheck migrate`; nothing in it needs the web application.
"""

from typing import Any

from alembic import context
from sqlalchemy import create_engine, pool

import settings
from models.tables import Base

#: Made by statements of their own, or by upkeep: autogenerate must neither drop nor want them.
_PARTITION_OF = "monitor_results_"


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave the partitions of `monitor_results` out of the comparison."""
    return not (kind == "table" and (name or "").startswith(_PARTITION_OF))


def run() -> None:
    """Bring the database to the wanted revision, one transaction for each migration."""
    url = settings.get().database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        _migrate(connection)


def _migrate(connection: Any) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        transaction_per_migration=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
