"""An unavailable server blocks no caller for long, and it is used again as soon as it is back."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

import settings
from actors.runtime.redis_connection import watched
from models.connections import database, dependencies
from models.connections.dependencies import BROKER, DATABASE
from tests.conftest import SettingsOf
from tests.cuttable import Wire, wire
from tests.waiting import until


def end_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@pytest.fixture
def cable(database_url: str, settings_of: SettingsOf) -> Iterator[Wire]:
    """The connection to the database, which a test can cut."""
    host, port = end_of(settings.get().database_url)
    with wire((host, port)) as cut:
        database.close()
        settings_of(database_url=settings.get().database_url.replace(f":{port}/", f":{cut.port}/"))
        yield cut
        database.close()


def ask() -> Any:
    with database.transaction() as db:
        return db.execute("SELECT 1").fetchone()


def reachable() -> bool:
    try:
        return bool(ask() == (1,))
    except psycopg.OperationalError:
        return False


def refused_after() -> float:
    """Return how long a transaction waited before it failed, in seconds."""
    began = time.monotonic()
    with pytest.raises(psycopg.OperationalError):
        ask()
    return time.monotonic() - began


def test_an_unavailable_database_is_waited_for_less_and_used_again_once_it_is_back(
    cable: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 1.0)
    monkeypatch.setattr(database, "WAIT_AFTER_FAILURE_SECONDS", 0.05)
    monkeypatch.setattr(database, "WAIT_WHILE_UNAVAILABLE_SECONDS", 0.05)
    assert reachable()
    assert DATABASE.healthy

    # When it becomes unavailable, the first transactions wait as usual, and the next ones hardly at all
    cable.cut()
    for _ in range(dependencies.FAILURES):
        assert refused_after() >= 0.8
    assert not DATABASE.healthy
    waits = [refused_after() for _ in range(3)]
    assert min(waits) < 0.8, waits

    # And when it is back, it is used again
    cable.mend()
    until(reachable, what="the database is used again")
    assert DATABASE.healthy


def test_an_error_in_a_statement_is_no_outage(database_url: str) -> None:
    for _ in range(2 * dependencies.FAILURES):
        with pytest.raises(psycopg.errors.UndefinedTable), database.transaction() as db:
            db.execute("SELECT FROM no_such_table")
    assert DATABASE.healthy
    assert reachable()


@pytest.mark.slow
def test_after_a_long_outage_the_database_is_found_again_within_seconds(cable: Wire) -> None:
    # The pool's own pauses grow: after 16 s the next one would last as long again
    assert reachable()
    cable.cut()
    end = time.monotonic() + 16
    while time.monotonic() < end:
        assert not reachable()
    cable.mend()
    until(reachable, within=6)


def test_an_unavailable_redis_is_not_tried_by_every_caller(redis_url: str) -> None:
    with wire(end_of(redis_url)) as cable:
        client = watched(redis.Redis.from_url(redis_url.replace(f":{end_of(redis_url)[1]}", f":{cable.port}")))

        def answer() -> str:
            try:
                return "yes" if client.ping() else "no"
            except redis.ConnectionError as error:
                return str(error)

        assert answer() == "yes"
        assert BROKER.healthy
        cable.cut()
        for _ in range(dependencies.FAILURES + 1):
            assert answer() != "yes"
        assert not BROKER.healthy
        until(lambda: "several times in a row" in answer())
        cable.mend()
        until(lambda: answer() == "yes")
        assert BROKER.healthy
        client.close()
