"""Our own absence is not the job's failure."""

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
    """A process that takes pings; stopped at the end of the test at the latest."""
    from actors.broker import broker

    made = ping_intake.PingIntake(broker, transaction)
    yield made
    made.stop()


def left(connection: Db, at: datetime) -> None:
    """The last process that took pings did so at `at`."""
    connection.execute("INSERT INTO ping_intake (role, since, seen_at) VALUES ('web', %s, %s)", [at, at])


def a_heartbeat(connection: Db, project: UUID, due: datetime, **state: Any) -> UUID:
    state = {"status": "up", "last_verdict": "up", **state}
    return rows.a_monitor(connection, project, "", type="heartbeat", interval=4200, config=HOURLY, due=due, state=state)


def waits(now: datetime) -> bool:
    from actors.broker import broker

    with transaction() as db:
        return ping_intake.hold_missed(db, broker.client, now)


def test_heartbeats_that_may_have_pinged_in_vain_get_until_their_next_turn(
    connection: Db, project: UUID, now: datetime
) -> None:
    left(connection, now - 30 * MINUTE)
    missed = a_heartbeat(connection, project, now - 11 * MINUTE)
    down = a_heartbeat(connection, project, now - 11 * MINUTE, status="down", last_verdict="down", last_error_code="X")
    later = a_heartbeat(connection, project, now + 45 * MINUTE)
    other = rows.a_monitor(connection, project, due=now - 11 * MINUTE)
    with transaction() as db:
        assert ping_intake.intake_resumed(db, now) == 2
    # Then their deadlines are those of their next turns, and no other monitor's has moved
    due = {one: rows.state(connection, one)["next_run_at"] for one in (missed, down, later, other)}
    assert due[missed] == due[down] == now + 49 * MINUTE
    assert (due[later], due[other]) == (now + 45 * MINUTE, now - 11 * MINUTE)
    # And the gap is ours, wherever the job was not down already
    state = rows.state(connection, missed)
    assert (state["status"], state["last_verdict"], state["last_error_code"]) == ("up", "error", "PINGS_NOT_TAKEN")
    assert (rows.state(connection, down)["last_verdict"], rows.state(connection, down)["last_error_code"]) == (
        "down",
        "X",
    )
    found = connection.execute("SELECT monitor_id, status, error_code, scheduled_for FROM monitor_results").fetchall()
    assert sorted(found) == sorted([(one, "error", "PINGS_NOT_TAKEN", now - 11 * MINUTE) for one in (missed, down)])
    assert connection.execute("SELECT sum(up), sum(down), sum(error) FROM monitor_rollups_hourly").fetchone() == (
        0,
        0,
        2,
    )
    message = rows.value(connection, "SELECT message FROM operator_warnings WHERE kind = 'pings_not_taken'")
    assert "2 heartbeats" in message
    # And a second return moves nothing
    with transaction() as db:
        assert ping_intake.intake_resumed(db, now) == 0


def test_the_first_process_ever_moves_nothing(connection: Db, project: UUID, now: datetime) -> None:
    monitor = a_heartbeat(connection, project, now - MINUTE)
    with transaction() as db:
        assert ping_intake.intake_resumed(db, now) == 0
    assert rows.state(connection, monitor)["next_run_at"] == now - MINUTE


def test_hold_missed_while_nobody_takes_pings_and_until_the_absence_is_dealt_with(
    connection: Db, project: UUID, now: datetime, intake: ping_intake.PingIntake
) -> None:
    assert not waits(now), "nobody has ever said that he takes pings"
    left(connection, now - timedelta(seconds=1))
    monitor = a_heartbeat(connection, project, now - timedelta(milliseconds=500))
    assert waits(now), "the mark is fresh, and the process is gone"
    intake.start()
    until(lambda: not waits(datetime.now(UTC)), what="somebody takes pings again")
    assert rows.state(connection, monitor)["next_run_at"] > now + 50 * MINUTE
    intake.stop()
    until(lambda: waits(datetime.now(UTC)), what="nobody takes pings any more")
    assert rows.value(connection, "SELECT seen_at FROM ping_intake") > now


def test_a_process_that_does_not_answer_pings_is_absent(
    connection: Db, project: UUID, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actors.broker import broker

    monkeypatch.setattr(ping_intake, "MARK_SECONDS", 0.1)
    hears = threading.Event()
    made = ping_intake.PingIntake(broker, transaction, hears.is_set)
    left(connection, now - timedelta(seconds=1))
    made.start()
    try:
        # Given a process that takes no pings yet
        assert waits(now)
        hears.set()
        until(lambda: not waits(datetime.now(UTC)), what="it takes pings")
        # When it cannot any more, then misses wait at once
        hears.clear()
        until(lambda: waits(datetime.now(UTC)), what="misses wait")
        missed = a_heartbeat(connection, project, datetime.now(UTC) + timedelta(milliseconds=50))
        # And once it can, the heartbeats that may have pinged in vain get another turn
        hears.set()
        until(lambda: not waits(datetime.now(UTC)), what="it takes pings again")
        assert rows.state(connection, missed)["next_run_at"] > now + 50 * MINUTE
    finally:
        made.stop()


def test_a_second_process_comes_without_an_absence(
    connection: Db, project: UUID, now: datetime, intake: ping_intake.PingIntake
) -> None:
    from actors.broker import broker

    intake.start()
    until(lambda: rows.value(connection, "SELECT count(*) FROM ping_intake") == 1)
    until(lambda: not waits(datetime.now(UTC)))
    monitor = a_heartbeat(connection, project, now - timedelta(milliseconds=500))
    second = ping_intake.PingIntake(broker, transaction)
    second.start()
    until(lambda: broker.client.pubsub_numsub(ping_intake.CHANNEL)[0][1] == 2)
    assert rows.state(connection, monitor)["next_run_at"] == now - timedelta(milliseconds=500)
    second.stop()
    assert not waits(datetime.now(UTC))


def test_a_mark_that_was_interrupted_is_an_absence(connection: Db, project: UUID, now: datetime) -> None:
    from actors.broker import broker

    left(connection, now - 2 * ping_intake.STALE)
    monitor = a_heartbeat(connection, project, now - MINUTE / 10)
    assert waits(now)
    ping_intake.PingIntake(broker, transaction)._mark()
    assert rows.state(connection, monitor)["next_run_at"] > now


def test_hold_missed_while_pings_wait_to_be_recorded(connection: Db, now: datetime) -> None:
    from actors.broker import broker

    broker.client.xadd(ping_buffer.STREAM, {"ping": "{}"})
    assert waits(now)
