"""Pings that are recorded in another order than they came."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from models.connections.database import transaction
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


def test_a_job_that_takes_half_of_its_period_is_not_early_for_its_next_run(connection: Db, job: UUID) -> None:
    config = {"cronExpression": "0 * * * *", "timezone": "UTC", "gracePeriodMinutes": 40}
    connection.execute("UPDATE monitors SET config = %s WHERE id = %s", [Jsonb(config), job])
    slot = NOW.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    for turn in range(3):
        record(Kind.SUCCESS, slot + timedelta(hours=turn, minutes=35))
        # Only the next run is waited for: if it does not come, it is missed
        wanted = slot + timedelta(hours=turn + 1, minutes=40)
        if turn:
            assert rows.state(connection, job)["next_run_at"] == wanted
        else:
            connection.execute("UPDATE monitor_states SET next_run_at = %s WHERE monitor_id = %s", [wanted, job])
