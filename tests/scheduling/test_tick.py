"""The tick on a real database and a real broker."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors import queues
from models.connections.database import transaction
from models.queries import schedules
from models.rules.round_ids import from_micros, to_micros
from scheduling import dispatch, tick, watch_locations
from tests import messages, rows
from tests.scheduling.conftest import Alive

Db = psycopg.Connection[Any]
SECOND = timedelta(seconds=1)


def items(location: str = "us-east") -> list[tuple[UUID, datetime]]:
    """(monitor, scheduled time) of everything sent to a location, in its order."""
    return [
        (UUID(monitor), from_micros(micros))
        for message in messages.waiting(queues.execution(location))
        for monitor, micros, _ in message.kwargs["items"]
    ]


def turn() -> int:
    return tick.claim_and_dispatch(datetime.now(UTC))


def test_a_due_monitor_gets_a_round_a_message_and_its_next_fire_time(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project)
    before = rows.state(connection, monitor)["next_run_at"]
    assert turn() == 1
    state = rows.state(connection, monitor)
    assert state["open_scheduled_for"] == state["last_run_at"] == before
    assert state["open_expected"] == ["us-east"]
    assert state["open_deadline"] > datetime.now(UTC) + 35 * SECOND
    assert state["next_run_at"] > datetime.now(UTC)
    assert items() == [(monitor, before)]
    assert turn() == 0


def test_the_first_round_of_a_new_monitor_is_at_once_and_the_next_at_least_half_an_interval_later(
    connection: Db, project: UUID
) -> None:
    created = datetime.now(UTC)
    monitor = rows.a_monitor(connection, project, due=created, interval=600)
    turn()
    state = rows.state(connection, monitor)
    assert items() == [(monitor, created)]
    assert timedelta(minutes=5) <= state["next_run_at"] - created < timedelta(minutes=15)


def test_a_monitor_due_within_the_next_second_is_sent_ahead_of_its_time(connection: Db, project: UUID) -> None:
    soon = datetime.now(UTC) + SECOND
    rows.a_monitor(connection, project, due=soon)
    rows.a_monitor(connection, project, due=soon + 5 * SECOND)
    assert turn() == 1
    assert [scheduled for _, scheduled in items()] == [soon]


def test_a_heartbeat_is_never_decided_before_its_deadline(connection: Db, project: UUID) -> None:
    # Given a heartbeat whose ping may still come, half a second from now
    deadline = datetime.now(UTC) + SECOND / 2
    heartbeat = rows.a_monitor(connection, project, "", type="heartbeat", due=deadline)
    # Then no tick before that takes it
    assert tick.claim_and_dispatch(deadline - SECOND / 2) == 0
    # And the first one after it does
    assert tick.claim_and_dispatch(deadline) == 1
    assert items() == [(heartbeat, deadline)]
    assert messages.waiting(queues.execution("us-east"))[0].kwargs["location"] is None


def test_two_schedulers_at_once_never_claim_the_same_monitor(connection: Db, project: UUID) -> None:
    wanted = {rows.a_monitor(connection, project) for _ in range(60)}
    start = threading.Barrier(4)

    def scheduler() -> None:
        start.wait()
        while turn():
            continue

    several = [threading.Thread(target=scheduler) for _ in range(4)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    sent = [monitor for monitor, _ in items()]
    assert len(sent) == 60
    assert set(sent) == wanted


def test_monitors_claimed_by_one_scheduler_are_skipped_by_another(connection: Db, project: UUID) -> None:
    for _ in range(3):
        rows.a_monitor(connection, project)
    now = datetime.now(UTC)
    with transaction() as first, transaction() as second:
        claimed = schedules.claim_due(first, now, now, 2)
        others = schedules.claim_due(second, now, now, 10)
    assert len(claimed) == 2
    assert {one.monitor_id for one in claimed}.isdisjoint(one.monitor_id for one in others)
    assert len(others) == 1


POISON = [
    ("a cron expression", {"interval_seconds": None, "cron_expression": "61 * * * *"}, {}),
    ("a time that never comes", {"interval_seconds": None, "cron_expression": "0 0 30 2 *"}, {}),
    ("a time zone", {"interval_seconds": None, "cron_expression": "* * * * *", "timezone": "Mars/Olympus"}, {}),
    ("a path for a time zone", {"interval_seconds": None, "cron_expression": "* * * * *", "timezone": "/etc/x"}, {}),
    ("a timeout", {}, {"timeoutSeconds": "soon"}),
    ("a number of retries", {}, {"retries": "many"}),
    ("a location config", {}, {"locationConfig": ["us-east"]}),
    ("an endless timeout", {}, {"timeoutSeconds": 10**300}),
]


@pytest.mark.parametrize(("columns", "config"), [one[1:] for one in POISON], ids=[one[0] for one in POISON])
def test_an_invalid_row_stops_no_other_and_warns_the_operator(
    connection: Db, project: UUID, columns: dict[str, Any], config: dict[str, Any]
) -> None:
    # Given a row that was spoiled by hand, due before a good one
    early = datetime.now(UTC) - 5 * SECOND
    poisoned = rows.a_monitor(connection, project, due=early, config=config, **columns)
    good = rows.a_monitor(connection, project)
    # When the tick comes
    now = datetime.now(UTC)
    assert tick.claim_and_dispatch(now) == 2
    # Then the good one is checked
    assert [monitor for monitor, _ in items()] == [good]
    # And the poisoned one is skipped, counted, shown as a fault of Supercheck and tried again after a minute
    state = rows.state(connection, poisoned)
    assert state["skipped_slots"] == 1
    assert state["next_run_at"] == now + timedelta(minutes=1)
    assert (state["last_verdict"], state["last_error_code"]) == ("error", "INVALID_CONFIG")
    assert state["open_scheduled_for"] is None
    warning = connection.execute("SELECT kind, subject, resolved_at FROM operator_warnings").fetchall()
    assert warning == [("unreadable_schedule", str(poisoned), None)]


def test_the_warning_of_a_repaired_row_is_closed(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project, interval_seconds=None, cron_expression="nonsense")
    turn()
    watch_locations.watch_locations.fn()
    open_warnings = "SELECT count(*) FROM operator_warnings WHERE resolved_at IS NULL AND kind = 'unreadable_schedule'"
    assert rows.value(connection, open_warnings) == 1
    # When the warning was not raised for two minutes
    connection.execute("UPDATE operator_warnings SET last_seen_at = now() - interval '3 minutes'")
    watch_locations.watch_locations.fn()
    assert rows.value(connection, open_warnings) == 0
    assert rows.state(connection, monitor)["skipped_slots"] == 1


def test_a_fire_time_that_falls_due_during_a_round_is_skipped_and_counted(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project)
    opened = datetime.now(UTC) - 20 * SECOND
    rows.an_open_round(connection, monitor, opened)
    turn()
    state = rows.state(connection, monitor)
    assert items() == []
    assert state["skipped_slots"] == 1
    assert state["open_scheduled_for"] == opened, "the earlier round stays open"
    assert state["open_expected"] == ["us-east"]
    assert state["last_verdict"] is None, "a skipped fire time is no fault of Supercheck"
    assert state["next_run_at"] > datetime.now(UTC)


def test_without_any_worker_a_monitor_stays_due_for_thirty_seconds_and_then_has_a_gap(
    connection: Db, project: UUID, alive: Alive
) -> None:
    # Given a due monitor and no worker anywhere
    alive()
    due = datetime.now(UTC)
    monitor = rows.a_monitor(connection, project, due=due)
    # Then nothing happens for half a minute
    assert tick.claim_and_dispatch(due + 29 * SECOND) == 0
    assert rows.state(connection, monitor)["next_run_at"] == due
    # And after that the fire time is a gap, and the operator is warned
    assert tick.claim_and_dispatch(due + 31 * SECOND) == 1
    state = rows.state(connection, monitor)
    assert (state["status"], state["last_verdict"], state["last_error_code"]) == ("pending", "error", "NO_WORKER")
    assert state["skipped_slots"] == 1
    assert rows.value(connection, "SELECT kind FROM operator_warnings WHERE resolved_at IS NULL") == "no_worker"
    assert rows.value(connection, "SELECT count(*) FROM alerts") == 0


def test_a_worker_that_comes_back_in_time_finds_the_monitor_due(connection: Db, project: UUID, alive: Alive) -> None:
    alive()
    due = datetime.now(UTC)
    monitor = rows.a_monitor(connection, project, due=due)
    assert tick.claim_and_dispatch(due + 20 * SECOND) == 0
    alive("us-east")
    assert tick.claim_and_dispatch(due + 21 * SECOND) == 1
    assert items() == [(monitor, due)]


def test_a_paused_monitor_is_never_due(connection: Db, project: UUID) -> None:
    rows.a_monitor(connection, project, state={"next_run_at": None})
    assert turn() == 0


def test_a_ping_beside_a_pause_revives_no_monitor(connection: Db, project: UUID) -> None:
    # What was still being committed when the monitor was paused may have left a deadline behind.
    rows.a_monitor(connection, project, enabled=False, due=datetime.now(UTC))
    assert turn() == 0
    with transaction() as db:
        assert schedules.next_due(db) is None


def test_a_crash_between_dispatch_and_commit_sends_the_same_round_again(
    connection: Db, project: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a scheduler that dies after its dispatch
    monitor = rows.a_monitor(connection, project)

    class Killed(BaseException):
        pass

    real = dispatch.dispatch

    def dying(*args: Any, **values: Any) -> None:
        real(*args, **values)
        raise Killed

    monkeypatch.setattr(tick, "dispatch", dying)
    with pytest.raises(Killed):
        turn()
    assert rows.state(connection, monitor)["open_scheduled_for"] is None
    monkeypatch.setattr(tick, "dispatch", real)
    # When another one takes over
    turn()
    # Then it is the very same round
    first, second = items()
    assert first == second
    assert to_micros(rows.state(connection, monitor)["open_scheduled_for"]) == to_micros(first[1])
