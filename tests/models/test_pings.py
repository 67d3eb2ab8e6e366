"""Pings that are recorded in another order than they came."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from models.database import transaction
from models.queries import pings
from models.queries.pings import Kind, Ping
from tests import rows

Db = psycopg.Connection[Any]
TOKEN = hashlib.sha256(b"token").digest()
NOW = datetime.now(UTC)


@pytest.fixture
def job(connection: Db) -> UUID:
    """Expected once a day; a run may take half an hour."""
    config = {"expectedIntervalMinutes": 1440, "gracePeriodMinutes": 10, "maxRunMinutes": 30}
    return rows.a_monitor(
        connection, rows.a_project(connection), "", type="heartbeat", config=config, heartbeat_token_hash=TOKEN
    )


def record(kind: Kind, at: datetime) -> None:
    with transaction() as db:
        assert pings.record(db, Ping(uuid4(), TOKEN, at, kind, {"ip": "192.0.2.7"})) is not None


def test_a_start_that_is_recorded_after_its_end_calls_for_no_other_end(connection: Db, job: UUID) -> None:
    record(Kind.SUCCESS, NOW)
    due = rows.state(connection, job)["next_run_at"]
    record(Kind.START, NOW - timedelta(seconds=2))
    state = rows.state(connection, job)
    assert (state["next_run_at"], state["run_started_at"]) == (due, None)
    assert rows.value(connection, "SELECT count(*) FROM heartbeat_pings") == 2


def test_a_start_after_the_last_end_wants_an_end_in_time(connection: Db, job: UUID) -> None:
    record(Kind.SUCCESS, NOW - timedelta(seconds=2))
    record(Kind.START, NOW)
    assert rows.state(connection, job)["next_run_at"] == NOW + timedelta(minutes=30)
