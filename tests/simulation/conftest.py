"""A stage for the simulation: a database whose time is the test's."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import structlog
from psycopg_pool import ConnectionPool

from tests.conftest import SettingsOf
from tests.simulation.month import Month, played
from tests.simulation.script import Script
from tests.simulation.virtual_time import migrate, virtual_database

Play = Callable[[Script], Month]


@pytest.fixture
def play(database_url: str, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Call it with a script: it is played to its end."""
    from models.connections import database, ping_pool

    # Thousands of deliveries, a line each: no one reads them.
    spoken = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    # No connection dies here: looking after each one at every use would be a tenth of all statements.
    monkeypatch.setattr(ConnectionPool, "check_connection", staticmethod(lambda _connection: None))
    with ExitStack() as stack:
        stack.callback(structlog.configure, wrapper_class=spoken)
        url = stack.enter_context(virtual_database(database_url))
        settings_of(database_url=url)
        migrate(url)
        database.close()
        ping_pool.close()
        yield lambda script: stack.enter_context(played(script, url, monkeypatch))
