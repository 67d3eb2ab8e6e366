"""The sweep finds work that a crash, a lost message or a silent location left unfinished."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors import queues
from actors.broker import Broker, broker
from models.rules.round_ids import to_micros
from scheduling import sweep, tick, watch_locations
from scheduling.resend_backoff import IMMEDIATE_SENDS, ResendBackoff
from tests import messages, rows
from tests.scheduling.conftest import Alive
from tests.waiting import until

Db = psycopg.Connection[Any]
AGO = timedelta(seconds=30)


@pytest.fixture
def monitor(connection: Db, project: UUID) -> UUID:
    return rows.a_monitor(connection, project, due=datetime.now(UTC) + timedelta(hours=1))


def found_rounds() -> list[tuple[str, int]]:
    return [tuple(item) for message in messages.waiting(queues.AGGREGATION) for item in message.args[0]]


def test_nothing_overdue_sends_nothing(connection: Db, monitor: UUID) -> None:
    rows.an_open_round(connection, monitor, datetime.now(UTC))
    sweep.sweep.fn()
    assert all(messages.waiting(queue) == [] for queue in queues.CENTRAL)


def test_a_complete_round_whose_message_was_lost_is_found(connection: Db, monitor: UUID) -> None:
    scheduled = datetime.now(UTC) - AGO
    rows.an_open_round(connection, monitor, scheduled)
    rows.a_result(connection, monitor, scheduled)
    sweep.sweep.fn()
    assert found_rounds() == [(str(monitor), to_micros(scheduled))]


def test_a_round_past_its_deadline_is_found_and_an_incomplete_one_before_it_is_not(
    connection: Db, monitor: UUID, project: UUID
) -> None:
    now = datetime.now(UTC)
    waiting = rows.a_monitor(connection, project, due=now + timedelta(hours=1))
    for one, deadline in ((monitor, now - timedelta(seconds=1)), (waiting, now + AGO)):
        rows.an_open_round(connection, one, now - AGO, ["us-east", "eu-central"], deadline)
        rows.a_result(connection, one, now - AGO, expected=["us-east", "eu-central"])
    sweep.sweep.fn()
    assert [monitor_id for monitor_id, _ in found_rounds()] == [str(monitor)]


def test_a_missed_heartbeat_without_a_result_is_left_to_its_worker(connection: Db, project: UUID) -> None:
    # Given a missed heartbeat whose check is still on its way
    heartbeat = rows.a_monitor(connection, project, "", type="heartbeat", due=datetime.now(UTC) + timedelta(hours=1))
    scheduled = datetime.now(UTC) - AGO
    rows.an_open_round(connection, heartbeat, scheduled, [])
    sweep.sweep.fn()
    assert found_rounds() == []
    # And when its answer is there and no message was sent
    rows.a_result(connection, heartbeat, scheduled, "down", location=None, error_code="HEARTBEAT_MISSED")
    sweep.sweep.fn()
    assert found_rounds() == [(str(heartbeat), to_micros(scheduled))]


def test_a_partial_round_is_decided_before_the_next_one_opens(connection: Db, project: UUID, alive: Alive) -> None:
    # Given a failure seen from one location, and another one that stays silent beyond the deadline
    alive("us-east", "eu-central")
    both = ["us-east", "eu-central"]
    monitor = rows.a_monitor(connection, project, config={"locationConfig": {"enabled": True, "locations": both}})
    scheduled = datetime.now(UTC) - AGO
    rows.an_open_round(connection, monitor, scheduled, both, deadline=datetime.now(UTC) - timedelta(milliseconds=10))
    rows.a_result(connection, monitor, scheduled, "down", expected=both)
    # When the tick comes before the sweep
    tick.claim_and_dispatch(datetime.now(UTC))
    sweep.sweep.fn()
    # Then what was seen still counts
    assert found_rounds() == [(str(monitor), to_micros(scheduled))]


def test_pings_whose_message_was_lost_are_found_oldest_first_until_they_are_decided(
    connection: Db, project: UUID
) -> None:
    # Given a failure and a success that arrived while the broker was away, and a ping of a paused monitor
    from actors.verdicts import aggregate

    first, second = datetime.now(UTC) - AGO, datetime.now(UTC) - AGO / 2
    hour = datetime.now(UTC) + timedelta(hours=1)
    state = {"last_ping_at": second, "status": "up", "decided_for": first - AGO}
    heartbeat = rows.a_heard_monitor(connection, project, "", type="heartbeat", due=hour, state=state)
    paused = rows.a_monitor(connection, project, "", type="heartbeat", due=hour, state=state, enabled=False)
    for one in (heartbeat, paused):
        rows.a_result(connection, one, first - AGO, location=None, expected=[])
        rows.a_result(connection, one, first, "down", location=None, expected=[])
        rows.a_result(connection, one, second, location=None, expected=[])
    # When the sweep comes
    sweep.sweep.fn()
    # Then both are decided in their order
    assert found_rounds() == [(str(heartbeat), to_micros(first)), (str(heartbeat), to_micros(second))]
    broker.flush(queues.AGGREGATION)
    aggregate.settle([(heartbeat, first), (heartbeat, second)], datetime.now(UTC))
    kinds = connection.execute("SELECT type FROM alerts ORDER BY created_at, alert_number").fetchall()
    assert sorted(kinds) == [("monitor.down",), ("monitor.up",)]
    sweep.sweep.fn()
    assert found_rounds() == []


def test_an_alert_whose_message_was_lost_is_found(connection: Db, project: UUID, monitor: UUID) -> None:
    lost = rows.an_alert(connection, project, monitor, created_at=datetime.now(UTC) - AGO)
    rows.an_alert(connection, project, monitor, alert_number=2)
    rows.an_alert(
        connection, project, monitor, alert_number=3, created_at=datetime.now(UTC) - AGO, planned_at=datetime.now(UTC)
    )
    sweep.sweep.fn()
    assert [message.args[0] for message in messages.waiting(queues.ALERTS)] == [[str(lost)]]


def test_a_delivery_whose_message_was_lost_or_whose_retry_is_due_is_found(
    connection: Db, project: UUID, monitor: UUID
) -> None:
    now = datetime.now(UTC)
    provider = rows.a_provider(connection, project, "http://127.0.0.1:9/", monitor)

    def a_delivery(number: int, **columns: Any) -> str:
        alert = rows.an_alert(connection, project, monitor, alert_number=number, planned_at=now)
        return str(rows.a_delivery(connection, alert, provider, **columns))

    lost = a_delivery(1, created_at=now - AGO)
    retry = a_delivery(2, status="retrying", next_attempt_at=now - timedelta(seconds=1))
    abandoned = a_delivery(3, created_at=now - AGO, claimed_until=now - timedelta(seconds=1))
    a_delivery(4)
    a_delivery(5, status="retrying", next_attempt_at=now + AGO)
    a_delivery(6, created_at=now - AGO, claimed_until=now + AGO)
    a_delivery(7, created_at=now - AGO, status="sent")
    a_delivery(8, created_at=now - AGO, status="failed")
    sweep.sweep.fn()
    assert {message.args[0] for message in messages.waiting(queues.DELIVERIES)} == {lost, retry, abandoned}


def a_message_taken_by(other: Broker, queue: str, declared: str) -> None:
    """Let `other` take a message of `queue` that it never acknowledges."""
    from actors.verdicts.aggregate import aggregate

    sent = aggregate.message([]).copy(queue_name=declared)
    broker.enqueue(sent, delay=60_000 if queue != declared else None)
    assert len(other.do_fetch(queue, 10)) == 1
    assert messages.waiting(queue) == []


@pytest.mark.parametrize(
    ("queue", "declared"),
    [
        (queues.AGGREGATION, queues.AGGREGATION),
        ("monitor-execution.us-east", "monitor-execution.us-east"),
        (f"{queues.HEARTBEAT_PINGS}.DQ", queues.HEARTBEAT_PINGS),
    ],
)
def test_what_a_dead_process_held_goes_back_to_its_queue_and_wakes_a_consumer(
    connection: Db, project: UUID, queue: str, declared: str
) -> None:
    # Given a process that took a message
    other = Broker(broker.client)
    a_message_taken_by(other, queue, declared)
    broker.client.delete(f"{broker.namespace}:{queue}.wake")
    # While it lives, the message is its own
    sweep.sweep.fn()
    assert messages.waiting(queue) == []
    # When it has given no sign of life for long enough
    broker.client.zadd(f"{broker.namespace}:__heartbeats__", {other.broker_id: 1})
    sweep.sweep.fn()
    assert len(messages.waiting(queue)) == 1
    assert broker.client.llen(f"{broker.namespace}:{queue}.wake") == 1


_CHILD = """
import sys, time
from actors.broker import broker
print(broker.broker_id, len(broker.do_fetch(sys.argv[1], 10)), flush=True)
time.sleep(60)
"""


def test_a_killed_processes_message_comes_back(connection: Db, project: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a process that holds a message and is killed
    from actors.verdicts.aggregate import aggregate

    monkeypatch.setattr(broker, "heartbeat_timeout", 300)
    aggregate.send([])
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, queues.AGGREGATION], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().split()[1] == "1"
        child.kill()
    assert messages.waiting(queues.AGGREGATION) == []

    # Then the sweep gives it back once the process counts as dead
    def comes_back() -> bool:
        sweep.sweep.fn()
        return len(messages.waiting(queues.AGGREGATION)) == 1

    until(comes_back)


# --- locations ---------------------------------------------------------------------------------------


def silent(db: Db) -> list[str]:
    found = db.execute(
        "SELECT subject FROM operator_warnings WHERE kind = 'location_silent' AND resolved_at IS NULL ORDER BY 1"
    )
    return [row[0] for row in found]


def test_the_operator_is_warned_of_used_locations_without_a_worker_until_they_have_one(
    connection: Db, project: UUID, alive: Alive
) -> None:
    everywhere = {"locationConfig": {"enabled": True, "locations": ["us-east", "eu-central"]}}
    rows.a_monitor(connection, project, config=everywhere)
    watch_locations.watch_locations.fn()
    watch_locations.watch_locations.fn()
    assert silent(connection) == ["eu-central"]
    assert rows.value(connection, "SELECT last_seen_at FROM locations WHERE code = 'us-east'") is not None
    alive("us-east", "eu-central")
    watch_locations.watch_locations.fn()
    assert silent(connection) == []


def test_an_unused_location_may_be_silent(connection: Db, project: UUID) -> None:
    rows.a_monitor(connection, project)
    rows.a_monitor(
        connection, project, config={"locationConfig": {"enabled": True, "locations": ["eu-central"]}}, enabled=False
    )
    rows.a_monitor(connection, project, "", type="heartbeat")
    watch_locations.watch_locations.fn()
    assert silent(connection) == []


def test_enabled_locations_are_announced_and_unanswered_rounds_are_reported(
    connection: Db,
) -> None:
    from actors.broker import broker
    from actors.runtime import process_registry
    from actors.verdicts import unanswered_rounds

    rows.a_location(connection, "moon", 0)
    rows.a_location(connection, "mars", 1, enabled=False)
    rows.a_location(connection, "us-east", 2)
    unanswered_rounds.record(broker.client, ["moon", "moon"])
    watch_locations.watch_locations.fn()
    assert process_registry.known_locations(broker.client) == ("moon", "us-east")
    open_ones = (
        "SELECT subject, message FROM operator_warnings WHERE kind = 'location_unanswered' AND resolved_at IS NULL"
    )
    ((subject, message),) = connection.execute(open_ones).fetchall()
    assert (subject, "left 2 rounds unanswered" in message) == ("moon", True)
    broker.client.delete("supercheck:unanswered")
    watch_locations.watch_locations.fn()
    assert connection.execute(open_ones).fetchall() == []


def test_an_unplanned_alert_of_a_deleted_monitor_is_closed(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project)
    alert = rows.an_alert(connection, project, monitor)
    connection.execute("DELETE FROM monitors WHERE id = %s", [monitor])
    sweep.sweep.fn()
    row = connection.execute("SELECT status, suppressed_because FROM alerts WHERE id = %s", [alert]).fetchone()
    assert row == ("suppressed", "off: the monitor was deleted")
    assert messages.waiting(queues.ALERTS) == []


def test_a_round_that_cannot_be_decided_fills_no_queue_and_warns_the_operator(
    connection: Db, monitor: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a round that stays as it is, however often it is sent
    monkeypatch.setattr(sweep, "undecided_rounds", ResendBackoff())
    scheduled = datetime.now(UTC) - AGO
    rows.an_open_round(connection, monitor, scheduled)
    rows.a_result(connection, monitor, scheduled)
    for _ in range(20):
        sweep.sweep.fn()
    assert len(found_rounds()) == IMMEDIATE_SENDS
    watch_locations.watch_locations.fn()
    assert stuck(connection) == []

    # When it has been sent for minutes
    monkeypatch.setattr(sweep.undecided_rounds, "stuck", lambda: [(monitor, scheduled)])
    watch_locations.watch_locations.fn()
    [(subject, sentence)] = stuck(connection)
    assert subject == "rounds"
    assert str(monitor) in sentence

    # Then the warning ends when it has gone
    monkeypatch.setattr(sweep, "undecided_rounds", ResendBackoff())
    watch_locations.watch_locations.fn()
    assert stuck(connection) == []


def stuck(connection: Db) -> list[Any]:
    return connection.execute(
        "SELECT subject, message FROM operator_warnings WHERE kind = 'stuck' AND resolved_at IS NULL"
    ).fetchall()


def test_a_full_queue_receives_no_more_deliveries(
    connection: Db, project: UUID, monitor: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "MAX_QUEUED", 3)
    alert = rows.an_alert(connection, project, monitor, planned_at=datetime.now(UTC) - AGO)
    provider = rows.a_provider(connection, project, "http://127.0.0.1:9/", monitor)
    rows.a_delivery(connection, alert, provider, created_at=datetime.now(UTC) - AGO)
    for _ in range(6):
        sweep.sweep.fn()
    assert len(messages.waiting(queues.DELIVERIES)) == 3
