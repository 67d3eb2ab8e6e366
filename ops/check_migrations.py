"""Check that the migrations create the tables of `models.tables`: `python -m ops.check_migrations`, part of `make check`."""

import os
import sys

from alembic import command
from alembic.util import CommandError

import settings
from ops import embedded, migrations


def main() -> None:
    """Migrate an empty database and compare it with the models; exit with code 1 if they differ."""
    with embedded.postgres() as url:
        # Alembic's environment reads the settings, which need a broker's URL; nothing connects to it.
        os.environ |= {"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0"}
        settings.get.cache_clear()
        migrations.upgrade(url)
        try:
            command.check(migrations.alembic_config())
        except CommandError as error:
            sys.exit(f"Models and migrations differ: {error}")


if __name__ == "__main__":
    main()
