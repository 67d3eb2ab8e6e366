"""A clock in the test's hands, for Python and for PostgreSQL alike.

Python's modules of the pipeline get a `datetime` whose `now` asks the clock. The database is one of its own, in which
`now()` means a function that reads the clock's table: statements and column defaults stay as they are.
"""

import random
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from ops import migrations

#: Whose idea of the time is the clock's.
ROOMS = ("actors", "scheduling", "models", "notifications", "web.pings.routes")


class Clock:
    """The virtual time; `db` is a connection to the virtual database that commits at once."""

    def __init__(self, db: psycopg.Connection[Any], start: datetime) -> None:
        self._db = db
        self.now = start
        db.execute("INSERT INTO virtual_clock VALUES (%s)", [start])

    def advance(self, moment: datetime) -> None:
        """Move on; time never goes back."""
        if moment > self.now:
            self.now = moment
            self._db.execute("UPDATE virtual_clock SET at = %s", [moment])


@contextmanager
def virtual_database(server: str) -> Iterator[str]:
    """The URL of a new, migrated database on `server`, in which `now()` reads `virtual_clock`."""
    name = f"virtual_{uuid4().hex}"
    url = server.rpartition("/")[0] + "/" + name
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        # What is in `public` comes before PostgreSQL's own.
        admin.execute(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
        try:
            with psycopg.connect(url, autocommit=True) as db:
                db.execute("CREATE TABLE virtual_clock (at timestamptz)")
                db.execute(
                    "CREATE FUNCTION public.now() RETURNS timestamptz STABLE LANGUAGE sql"
                    " AS 'SELECT at FROM public.virtual_clock'"
                )
            yield url
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def migrate(url: str) -> None:
    """Bring the database of the settings, which is at `url`, to the newest schema."""
    migrations.upgrade(url)


def rule(clock: Clock, seed: int, patch: pytest.MonkeyPatch) -> None:
    """Have every module of the pipeline ask `clock` for the time, and make its ids from `seed`."""

    class Virtual(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "datetime":  # type: ignore[override]
            return clock.now.astimezone(tz)

    ids = random.Random(seed)

    def next_id() -> UUID:
        return UUID(int=ids.getrandbits(128), version=4)

    for name, module in list(sys.modules.items()):
        if any(name == room or name.startswith(f"{room}.") for room in ROOMS):
            if vars(module).get("datetime") is datetime:
                patch.setattr(module, "datetime", Virtual)
            if vars(module).get("uuid4") is uuid.uuid4:
                patch.setattr(module, "uuid4", next_id)
