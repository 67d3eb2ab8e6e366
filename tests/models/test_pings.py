"""Pings that are recorded in another order than they arrived."""

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
    """A job that pings once a day and whose run may take half an hour."""
    config = {"expectedIntervalMinutes": 1440, "gracePeriodMinutes": 10, "maxRunMinutes": 30}
    return rows.a_monitor(
        connection, rows.a_project(connection), "", type="heartbeat", config=config, heartbeat_token_hash=TOKEN
    )


def record(kind: Kind, at: datetime) -> None:
    with transaction() as db:
        assert pings.record(db, Ping(uuid4(), TOKEN, at, kind, {"ip": "192.0.2.7"})) is not None


def test_a_start_that_is_recorded_after_its_end_needs_no_other_end(connection: Db, job: UUID) -> None:
    record(Kind.SUCCESS, NOW)
    due = rows.state(connection, job)["next_run_at"]
    record(Kind.START, NOW - timedelta(seconds=2))
    state = rows.state(connection, job)
    assert (state["next_run_at"], state["run_started_at"]) == (due, None)
    assert rows.value(connection, "SELECT count(*) FROM heartbeat_pings") == 2


def test_a_start_after_the_last_end_needs_an_end_in_time(connection: Db, job: UUID) -> None:
    record(Kind.SUCCESS, NOW - timedelta(seconds=2))
    record(Kind.START, NOW)
    assert rows.state(connection, job)["next_run_at"] == NOW + timedelta(minutes=30)


def test_a_job_that_takes_half_of_its_period_is_not_early_for_its_next_run(connection: Db, job: UUID) -> None:
    config = {"cronExpression": "0 * * * *", "timezone": "UTC", "gracePeriodMinutes": 40}
    connection.execute("UPDATE monitors SET config = %s WHERE id = %s", [Jsonb(config), job])
    fire_time = NOW.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    for run in range(3):
        record(Kind.SUCCESS, fire_time + timedelta(hours=run, minutes=35))
        # The deadline is that of the next run: if it does not ping, it is missed
        deadline = fire_time + timedelta(hours=run + 1, minutes=40)
        if run:
            assert rows.state(connection, job)["next_run_at"] == deadline
        else:
            connection.execute("UPDATE monitor_states SET next_run_at = %s WHERE monitor_id = %s", [deadline, job])
