"""The environment of Alembic: the tables of `models.tables`, the database of `DATABASE_URL`.

It does not need the web application.
"""

from typing import Any

from alembic import context
from sqlalchemy import create_engine, pool

import settings
from models.tables import Base

#: The scheduler creates partitions, so autogenerate must neither drop nor expect them.
_PARTITION_OF = "monitor_results_"


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Exclude the partitions of `monitor_results` from the comparison."""
    return not (kind == "table" and (name or "").startswith(_PARTITION_OF))


def run() -> None:
    """Migrate the database to the requested revision, one transaction per migration."""
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
