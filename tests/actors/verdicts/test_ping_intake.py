"""A gap in accepting pings is not a failure of the job."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors.verdicts import ping_intake
from models.connections import ping_buffer
from models.connections.database import transaction
from tests import rows
from tests.waiting import until

Db = psycopg.Connection[Any]
MINUTE = timedelta(minutes=1)
HOURLY = {"expectedIntervalMinutes": 60, "gracePeriodMinutes": 10}


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def intake(connection: Db) -> Iterator[ping_intake.PingIntake]:
    """A process that accepts pings, stopped when the test ends."""
    from actors.broker import broker

    process = ping_intake.PingIntake(broker, transaction)
    yield process
    process.stop()


def last_accepted(connection: Db, at: datetime) -> None:
    """Pings were last accepted at `at`."""
    connection.execute("INSERT INTO ping_intake (role, since, seen_at) VALUES ('web', %s, %s)", [at, at])


def a_heartbeat(connection: Db, project: UUID, due: datetime, **state: Any) -> UUID:
    state = {"status": "up", "last_verdict": "up", **state}
    return rows.a_monitor(connection, project, "", type="heartbeat", interval=4200, config=HOURLY, due=due, state=state)


def held(now: datetime) -> bool:
    from actors.broker import broker

    with transaction() as db:
        return ping_intake.hold_missed(db, broker.client, now)


def test_heartbeats_whose_pings_may_be_lost_get_until_their_next_regular_run(
    connection: Db, project: UUID, now: datetime
) -> None:
    last_accepted(connection, now - 30 * MINUTE)
    missed = a_heartbeat(connection, project, now - 11 * MINUTE)
    down = a_heartbeat(connection, project, now - 11 * MINUTE, status="down", last_verdict="down", last_error_code="X")
    later = a_heartbeat(connection, project, now + 45 * MINUTE)
    other = rows.a_monitor(connection, project, due=now - 11 * MINUTE)
    with transaction() as db:
        assert ping_intake.intake_resumed(db, now) == 2
    # Then their deadlines are those of their next runs, and no other deadline has moved
    due = {monitor: rows.state(connection, monitor)["next_run_at"] for monitor in (missed, down, later, other)}
    assert due[missed] == due[down] == now + 49 * MINUTE
    assert (due[later], due[other]) == (now + 45 * MINUTE, now - 11 * MINUTE)
    # And the gap is an error, unless the job was down already
    state = rows.state(connection, missed)
    assert (state["status"], state["last_verdict"], state["last_error_code"]) == ("up", "error", "PINGS_NOT_TAKEN")
    assert (rows.state(connection, down)["last_verdict"], rows.state(connection, down)["last_error_code"]) == (
        "down",
        "X",
    )
    stored = connection.execute("SELECT monitor_id, status, error_code, scheduled_for FROM monitor_results").fetchall()
    gap = ("error", "PINGS_NOT_TAKEN", now - 11 * MINUTE)
    assert sorted(stored) == sorted([(missed, *gap), (down, *gap)])
    assert connection.execute("SELECT sum(up), sum(down), sum(error) FROM monitor_rollups_hourly").fetchone() == (
        0,
        0,
        2,
    )
    message = rows.value(connection, "SELECT message FROM operator_warnings WHERE kind = 'pings_not_taken'")
    assert "2 heartbeats" in message
    # And doing it again moves nothing
    with transaction() as db:
        assert ping_intake.intake_resumed(db, now) == 0


def test_the_first_process_of_an_installation_moves_nothing(connection: Db, project: UUID, now: datetime) -> None:
    monitor = a_heartbeat(connection, project, now - MINUTE)
    with transaction() as db:
        assert ping_intake.intake_resumed(db, now) == 0
    assert rows.state(connection, monitor)["next_run_at"] == now - MINUTE


def test_misses_are_held_while_no_process_accepts_pings_and_until_the_deadlines_are_moved(
    connection: Db, project: UUID, now: datetime, intake: ping_intake.PingIntake
) -> None:
    assert not held(now), "no process has ever left a mark"
    last_accepted(connection, now - timedelta(seconds=1))
    monitor = a_heartbeat(connection, project, now - timedelta(milliseconds=500))
    assert held(now), "the mark is fresh, and the process is dead"
    intake.start()
    until(lambda: not held(datetime.now(UTC)), what="pings are accepted again")
    assert rows.state(connection, monitor)["next_run_at"] > now + 50 * MINUTE
    intake.stop()
    until(lambda: held(datetime.now(UTC)), what="no process accepts pings")
    assert rows.value(connection, "SELECT seen_at FROM ping_intake") > now


def test_a_process_that_does_not_answer_pings_makes_a_gap(
    connection: Db, project: UUID, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actors.broker import broker

    monkeypatch.setattr(ping_intake, "MARK_SECONDS", 0.1)
    accepts_pings = threading.Event()
    process = ping_intake.PingIntake(broker, transaction, accepts_pings.is_set)
    last_accepted(connection, now - timedelta(seconds=1))
    process.start()
    try:
        # Given a process that accepts no pings yet
        assert held(now)
        accepts_pings.set()
        until(lambda: not held(datetime.now(UTC)), what="it accepts pings")
        # When it stops accepting pings, misses are held at once
        accepts_pings.clear()
        until(lambda: held(datetime.now(UTC)), what="misses are held")
        missed = a_heartbeat(connection, project, datetime.now(UTC) + timedelta(milliseconds=50))
        # When it accepts them again, heartbeats whose pings may be lost get until their next run
        accepts_pings.set()
        until(lambda: not held(datetime.now(UTC)), what="it accepts pings again")
        assert rows.state(connection, missed)["next_run_at"] > now + 50 * MINUTE
    finally:
        process.stop()


def test_a_second_process_starts_without_a_gap(
    connection: Db, project: UUID, now: datetime, intake: ping_intake.PingIntake
) -> None:
    from actors.broker import broker

    intake.start()
    until(lambda: rows.value(connection, "SELECT count(*) FROM ping_intake") == 1)
    until(lambda: not held(datetime.now(UTC)))
    monitor = a_heartbeat(connection, project, now - timedelta(milliseconds=500))
    second = ping_intake.PingIntake(broker, transaction)
    second.start()
    until(lambda: broker.client.pubsub_numsub(ping_intake.CHANNEL)[0][1] == 2)
    assert rows.state(connection, monitor)["next_run_at"] == now - timedelta(milliseconds=500)
    second.stop()
    assert not held(datetime.now(UTC))


def test_an_interrupted_mark_is_a_gap(connection: Db, project: UUID, now: datetime) -> None:
    from actors.broker import broker

    last_accepted(connection, now - 2 * ping_intake.STALE)
    monitor = a_heartbeat(connection, project, now - MINUTE / 10)
    assert held(now)
    ping_intake.PingIntake(broker, transaction)._mark()
    assert rows.state(connection, monitor)["next_run_at"] > now


def test_misses_are_held_while_pings_are_buffered(connection: Db, now: datetime) -> None:
    from actors.broker import broker

    broker.client.xadd(ping_buffer.STREAM, {"ping": "{}"})
    assert held(now)
