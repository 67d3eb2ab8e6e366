"""A job that stops calling, and calls again."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from werkzeug.test import Client

from tests import outside, rows
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("road")

Db = psycopg.Connection[Any]
Tick = Callable[[], int]
TOKEN = "0123456789abcdefghij"


@pytest.fixture
def job(connection: Db) -> Iterator[Callable[..., None]]:
    """Call it with a suffix: the job pings."""
    from models.connections import ping_pool
    from web.pings.routes import PREFIX, HeartbeatRoutes

    client = Client(HeartbeatRoutes(Flask(__name__).wsgi_app))

    def ping(suffix: str = "") -> None:
        with client.get(f"{PREFIX}{TOKEN}{suffix}") as answer:
            assert (answer.status_code, answer.get_data()) == (200, b"OK")

    yield ping
    ping_pool.close()


@pytest.fixture
def heartbeat(connection: Db, hook: outside.Hook) -> UUID:
    """Expected every minute with a minute's grace; `hook` is notified."""
    project = rows.a_project(connection)
    monitor = rows.a_monitor(
        connection,
        project,
        "",
        type="heartbeat",
        interval=120,
        config={"expectedIntervalMinutes": 1, "gracePeriodMinutes": 1},
        due=datetime.now(UTC) + timedelta(minutes=2),
        heartbeat_token_hash=hashlib.sha256(TOKEN.encode()).digest(),
    )
    rows.a_provider(connection, project, hook.url, monitor)
    return monitor


def becomes(db: Db, monitor: UUID, status: str) -> None:
    until(lambda: rows.state(db, monitor)["status"] == status, what=f"status {status}")


def overdue(db: Db) -> None:
    db.execute("UPDATE monitor_states SET next_run_at = %s", [datetime.now(UTC) - timedelta(milliseconds=1)])


def test_a_missed_heartbeat_is_told_once_and_the_ping_after_it_is_its_recovery(
    connection: Db, tick: Tick, job: Callable[..., None], heartbeat: UUID, hook: outside.Hook
) -> None:
    # Given a job that calls
    job()
    becomes(connection, heartbeat, "up")
    due = rows.state(connection, heartbeat)["next_run_at"]
    assert timedelta(seconds=110) < due - datetime.now(UTC) <= timedelta(seconds=120)
    # When it stops
    overdue(connection)
    tick()
    # Then that is sent
    until(lambda: hook.events() == ["heartbeat.missed"], what="the webhook")
    notice = hook.received[0]
    assert (notice["status"], notice["previousStatus"], notice["errorCode"]) == ("down", "up", "HEARTBEAT_MISSED")
    assert "No ping arrived in time" in notice["reason"]
    # And its next call is the recovery
    job()
    until(lambda: hook.events() == ["heartbeat.missed", "monitor.up"], what="the recovery")
    becomes(connection, heartbeat, "up")
    due = rows.state(connection, heartbeat)["next_run_at"]
    assert timedelta(seconds=110) < due - datetime.now(UTC) <= timedelta(seconds=120)


def test_a_run_that_takes_too_long_is_told_by_its_start(
    connection: Db, tick: Tick, job: Callable[..., None], heartbeat: UUID, hook: outside.Hook
) -> None:
    # Given a job whose runs may take five minutes, of which one began six minutes ago and one ended
    config = '{"expectedIntervalMinutes": 60, "gracePeriodMinutes": 1, "maxRunMinutes": 5}'
    connection.execute("UPDATE monitors SET config = %s", [config])
    slow, quick = uuid4(), uuid4()
    job(f"/start?rid={slow}")
    job(f"/start?rid={quick}")
    job(f"?rid={quick}")
    becomes(connection, heartbeat, "up")
    connection.execute("UPDATE heartbeat_pings SET received_at = received_at - interval '6 min'")
    connection.execute("UPDATE monitor_results SET scheduled_for = scheduled_for - interval '6 min'")
    connection.execute(
        "UPDATE monitor_states SET next_run_at = next_run_at - interval '6 min',"
        " last_ping_at = last_ping_at - interval '6 min', decided_for = decided_for - interval '6 min'"
    )
    started = rows.value(
        connection, "SELECT received_at FROM heartbeat_pings WHERE run_id = %s AND kind = 'start'", slow
    )
    # When its time is over
    tick()
    # Then people hear which run it is
    until(lambda: hook.events() == ["heartbeat.missed"], what="the webhook")
    assert hook.received[0]["reason"] == (
        f"The run {slow} that started at {started:%Y-%m-%d %H:%M:%S} UTC did not end within 5 minutes."
    )


def test_a_job_that_reports_a_failure_is_told_at_once(
    connection: Db, job: Callable[..., None], heartbeat: UUID, hook: outside.Hook
) -> None:
    job("/3")
    until(lambda: hook.events() == ["monitor.down"], what="the webhook")
    assert hook.received[0]["errorCode"] == "HEARTBEAT_FAILED"
    assert "exit code 3" in hook.received[0]["reason"]
    job("/0")
    until(lambda: hook.events() == ["monitor.down", "monitor.up"], what="the recovery")


def test_a_failure_reported_while_the_broker_was_away_is_found_by_the_sweep(
    connection: Db, job: Callable[..., None], heartbeat: UUID, hook: outside.Hook, sweep: Callable[[], None]
) -> None:
    # Given a failure whose message never came
    from web.pings import routes as heartbeats

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heartbeats, "_hand_on", lambda *_: None)
        job("/fail")
    connection.execute("UPDATE monitor_results SET scheduled_for = scheduled_for - interval '10 s'")
    connection.execute("UPDATE monitor_states SET last_ping_at = last_ping_at - interval '10 s'")
    assert rows.state(connection, heartbeat)["status"] == "pending"
    # When the sweep comes
    sweep()
    # Then it is sent after all, and only once
    until(lambda: hook.events() == ["monitor.down"], what="the webhook")
    sweep()
    becomes(connection, heartbeat, "down")
    assert rows.value(connection, "SELECT count(*) FROM alerts") == 1


def test_a_ping_in_the_last_second_is_in_time(
    connection: Db, tick: Tick, job: Callable[..., None], heartbeat: UUID, hook: outside.Hook
) -> None:
    # Given a heartbeat whose deadline is half a second away, and a tick that looks a second ahead
    job()
    becomes(connection, heartbeat, "up")
    deadline = datetime.now(UTC) + timedelta(milliseconds=500)
    connection.execute("UPDATE monitor_states SET next_run_at = %s", [deadline])
    assert tick() == 0
    # When the job calls after all
    job()
    # Then the deadline has moved on, and no alert was sent
    assert rows.state(connection, heartbeat)["next_run_at"] > deadline + timedelta(seconds=100)
    assert rows.value(connection, "SELECT count(*) FROM alerts") == 0
    assert hook.received == []


def a_late_ping(at: datetime) -> None:
    """A success that came at `at` is stored only now, and handed on."""
    from actors.verdicts.heartbeat_ping import heartbeat_ping
    from models.connections.database import transaction
    from models.queries import pings

    ping = pings.Ping(uuid4(), hashlib.sha256(TOKEN.encode()).digest(), at, pings.Kind.SUCCESS, {"ip": None})
    with transaction() as db:
        recorded = pings.record(db, ping)
    assert recorded is not None
    if recorded.undecided:
        heartbeat_ping.send(str(recorded.monitor_id), at.isoformat())


def test_a_ping_in_time_that_is_stored_after_the_claim_makes_the_miss_void(
    connection: Db, tick: Tick, job: Callable[..., None], heartbeat: UUID, hook: outside.Hook
) -> None:
    # Given a deadline that has just been claimed
    job()
    becomes(connection, heartbeat, "up")
    overdue(connection)
    deadline = rows.state(connection, heartbeat)["next_run_at"]
    assert tick() == 1
    # When a ping is stored that had come before it
    came = deadline - timedelta(milliseconds=5)
    a_late_ping(came)
    # Then the round is void: the miss is taken back, and no alert is sent
    until(lambda: rows.state(connection, heartbeat)["decided_for"] == came, what="the ping is decided")
    missed = "SELECT count(*) FROM monitor_results WHERE error_code = 'HEARTBEAT_MISSED'"
    queue = "dramatiq:aggregation.msgs"
    until(lambda: not _under_way(queue), what="the miss is through")
    until(lambda: rows.value(connection, missed) == 0, what="the miss is taken back")
    assert rows.state(connection, heartbeat)["status"] == "up"
    assert rows.state(connection, heartbeat)["next_run_at"] == came + timedelta(minutes=2)
    assert rows.value(connection, "SELECT sum(down) FROM monitor_rollups_hourly") == 0
    assert (rows.value(connection, "SELECT count(*) FROM alerts"), hook.received) == (0, [])


def _under_way(queue: str) -> int:
    from actors.broker import broker

    checks = broker.client.hlen("dramatiq:monitor-execution.us-east.msgs")
    return int(checks) + int(broker.client.hlen(queue))  # type: ignore[arg-type]


def test_a_ping_in_time_that_is_stored_after_the_miss_was_told_is_its_recovery(
    connection: Db, tick: Tick, job: Callable[..., None], heartbeat: UUID, hook: outside.Hook
) -> None:
    # Given a miss that was sent
    job()
    becomes(connection, heartbeat, "up")
    overdue(connection)
    deadline = rows.state(connection, heartbeat)["next_run_at"]
    tick()
    until(lambda: hook.events() == ["heartbeat.missed"], what="the webhook")
    becomes(connection, heartbeat, "down")
    # When a ping turns up that had come before the deadline
    a_late_ping(deadline - timedelta(milliseconds=5))
    # Then the monitor is up again, and the redelivered decision of the miss changes nothing
    until(lambda: hook.events() == ["heartbeat.missed", "monitor.up"], what="the recovery")
    becomes(connection, heartbeat, "up")
    from actors.verdicts.aggregate import settle

    settle([(heartbeat, deadline)], datetime.now(UTC))
    assert rows.state(connection, heartbeat)["status"] == "up"
    assert rows.value(connection, "SELECT count(*) FROM alerts") == 2


def test_after_an_absence_of_ours_a_dead_job_is_told_once_and_a_living_one_never(
    connection: Db, tick: Tick, job: Callable[..., None], heartbeat: UUID, hook: outside.Hook
) -> None:
    from actors.broker import broker
    from actors.verdicts.ping_intake import PingIntake
    from models.connections.database import transaction

    # Given no process that took pings for ten minutes, in which the deadline passed
    job()
    becomes(connection, heartbeat, "up")
    now = datetime.now(UTC)
    left = now - timedelta(minutes=10)
    connection.execute("INSERT INTO ping_intake (role, since, seen_at) VALUES ('web', %s, %s)", [left, left])
    connection.execute("UPDATE monitor_states SET next_run_at = %s", [now - timedelta(minutes=8)])
    assert tick() == 0, "no process takes pings yet"
    # When a process does again
    ping_intake = PingIntake(broker, transaction)
    ping_intake.start()
    until(lambda: rows.state(connection, heartbeat)["last_verdict"] == "error", what="the gap is ours")
    until(lambda: broker.client.pubsub_numsub("supercheck:takes-pings")[0][1])
    due = rows.state(connection, heartbeat)["next_run_at"]
    assert now + timedelta(minutes=1) < due < now + timedelta(minutes=4)
    assert tick() == 0
    assert rows.value(connection, "SELECT count(*) FROM alerts") == 0
    # Then a job that lives settles it with its ping
    job()
    until(lambda: rows.state(connection, heartbeat)["last_verdict"] == "up", what="the ping is decided")
    assert rows.value(connection, "SELECT count(*) FROM alerts") == 0
    # And one that does not is sent at its deadline
    overdue(connection)
    tick()
    until(lambda: hook.events() == ["heartbeat.missed"], what="the webhook")
    ping_intake.stop()
