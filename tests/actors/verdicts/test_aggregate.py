"""Rounds decided on the real database."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import redis

from actors import queues
from actors.alerts import policy
from actors.broker import broker
from actors.verdicts import aggregate, unanswered_rounds
from actors.verdicts.verdict import verdict_of
from models.connections.database import transaction
from models.queries import outbox
from models.queries.outbox import NewAlert
from models.rules.round_ids import to_micros
from scheduling import sweep
from tests import messages, rows

Db = psycopg.Connection[Any]
TWO = ["eu-central", "us-east"]
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def monitor(connection: Db, project: UUID) -> UUID:
    return rows.a_heard_monitor(connection, project)


def everywhere(strategy: str = "majority", **values: Any) -> dict[str, Any]:
    return {"locationConfig": {"enabled": True, "locations": TWO, "strategy": strategy, **values}}


def settle(*rounds: tuple[UUID, datetime], now: datetime | None = None) -> None:
    aggregate.settle(rounds, now or datetime.now(UTC))


def alerts(db: Db) -> list[tuple[Any, ...]]:
    return db.execute("SELECT type, failure_sequence, alert_number FROM alerts ORDER BY created_at").fetchall()


def decided(db: Db, monitor: UUID) -> tuple[Any, ...]:
    state = rows.state(db, monitor)
    return state["status"], state["last_verdict"], state["consecutive_failures"], state["decided_for"]


def test_a_failed_round_takes_the_monitor_down_closes_the_round_and_fills_the_outbox(
    connection: Db, monitor: UUID
) -> None:
    rows.an_open_round(connection, monitor, AT)
    rows.a_result(connection, monitor, AT, "down")
    settle((monitor, AT))
    assert decided(connection, monitor) == ("down", "down", 1, AT)
    state = rows.state(connection, monitor)
    assert state["open_scheduled_for"] is state["open_expected"] is state["open_deadline"] is None
    assert (state["last_error_code"], state["down_since"]) == ("CONNECTION_REFUSED", AT)
    assert alerts(connection) == [("monitor.down", 1, 1)]
    mark = "SELECT is_status_change, consecutive_failure_count, alerts_sent_for_failure FROM monitor_results"
    assert connection.execute(mark).fetchall() == [(True, 1, 1)]
    incident = connection.execute("SELECT failure_sequence, started_at, ended_at FROM incidents").fetchall()
    assert incident == [(1, AT, None)]
    # The alert is planned at once, in the same transaction.
    assert rows.value(connection, "SELECT planned_at IS NOT NULL FROM alerts")


def test_an_alert_that_cannot_be_planned_is_left_to_the_sweep_and_the_verdict_is_kept(
    connection: Db, monitor: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    rows.an_open_round(connection, monitor, AT)
    rows.a_result(connection, monitor, AT, "down")
    with monkeypatch.context() as patch:
        patch.setattr(policy, "suppression_reason", breaks)
        settle((monitor, AT))
    assert rows.state(connection, monitor)["status"] == "down"
    assert rows.value(connection, "SELECT planned_at FROM alerts") is None
    monkeypatch.setattr(sweep, "IN_FLIGHT_GRACE", timedelta())
    sweep.sweep.fn()
    (message,) = messages.waiting(queues.ALERTS)
    assert message.args == ([str(rows.value(connection, "SELECT id FROM alerts"))],)


def test_deliveries_are_left_to_the_sweep_while_redis_is_down(
    connection: Db, monitor: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(_: object) -> None:
        raise redis.ConnectionError

    provider = rows.value(connection, "SELECT id FROM notification_providers")
    rows.an_open_round(connection, monitor, AT)
    rows.a_result(connection, monitor, AT, "down")
    monkeypatch.setattr(aggregate, "send_deliveries", unreachable)
    settle((monitor, AT))
    assert rows.value(connection, "SELECT provider_id FROM deliveries WHERE status = 'pending'") == provider
    monkeypatch.setattr(sweep, "IN_FLIGHT_GRACE", timedelta())
    sweep.sweep.fn()
    assert len(messages.waiting(queues.DELIVERIES)) == 1


def test_deciding_a_round_twice_is_the_same_as_once(connection: Db, monitor: UUID) -> None:
    rows.an_open_round(connection, monitor, AT)
    rows.a_result(connection, monitor, AT, "down")
    settle((monitor, AT))
    before = rows.state(connection, monitor)
    settle((monitor, AT))
    settle((monitor, AT), (monitor, AT))
    assert rows.state(connection, monitor) == before
    assert len(alerts(connection)) == 1


def test_a_late_round_never_changes_the_state(connection: Db, monitor: UUID) -> None:
    rows.a_result(connection, monitor, AT)
    settle((monitor, AT))
    rows.a_result(connection, monitor, AT - MINUTE, "down")
    settle((monitor, AT - MINUTE))
    assert decided(connection, monitor) == ("up", "up", 0, AT)
    assert alerts(connection) == []


def test_two_rounds_of_one_monitor_in_a_batch_are_decided_in_the_order_of_their_times(
    connection: Db, monitor: UUID
) -> None:
    rows.a_result(connection, monitor, AT, "down")
    rows.a_result(connection, monitor, AT + MINUTE, "up")
    settle((monitor, AT + MINUTE), (monitor, AT))
    assert decided(connection, monitor) == ("up", "up", 0, AT + MINUTE)
    assert sorted(alerts(connection)) == [("monitor.down", 1, 1), ("monitor.up", 1, None)]
    incident = connection.execute("SELECT ended_at IS NOT NULL FROM incidents").fetchall()
    assert incident == [(True,)]


def test_an_incomplete_round_waits_for_its_deadline_and_is_then_decided_by_the_answers_it_has(
    connection: Db, project: UUID
) -> None:
    # Given a round that one of two locations has answered
    monitor = rows.a_monitor(connection, project, config=everywhere())
    deadline = AT + MINUTE
    rows.an_open_round(connection, monitor, AT, TWO, deadline)
    rows.a_result(connection, monitor, AT, "down", expected=TWO)
    # Before the deadline nothing is decided
    settle((monitor, AT), now=deadline - timedelta(seconds=1))
    assert decided(connection, monitor) == ("pending", None, 0, None)
    assert rows.state(connection, monitor)["open_scheduled_for"] == AT
    # At the deadline the silent location is not counted
    settle((monitor, AT), now=deadline)
    assert decided(connection, monitor) == ("down", "down", 1, AT)
    assert unanswered_rounds.recent(broker.client) == {"eu-central": 1}
    # And a later answer changes nothing
    rows.a_result(connection, monitor, AT, "up", "eu-central", TWO)
    settle((monitor, AT), now=deadline + MINUTE)
    assert decided(connection, monitor) == ("down", "down", 1, AT)
    assert len(alerts(connection)) == 1


def test_a_round_without_answers_is_an_error_at_its_deadline(connection: Db, project: UUID) -> None:
    state = {"status": "up", "last_verdict": "up", "consecutive_successes": 4}
    monitor = rows.a_monitor(connection, project, state=state)
    rows.an_open_round(connection, monitor, AT, deadline=AT + MINUTE)
    settle((monitor, AT), now=AT + MINUTE)
    assert decided(connection, monitor) == ("up", "error", 0, AT)
    found = rows.state(connection, monitor)
    assert (found["last_error_code"], found["consecutive_successes"]) == ("NO_ANSWER", 4)
    assert alerts(connection) == []


@pytest.mark.parametrize("kind", ["http_request", "heartbeat"])
def test_a_lost_round_is_rechecked_soon(connection: Db, project: UUID, kind: str) -> None:
    tomorrow = AT + timedelta(days=1)
    monitor = rows.a_monitor(connection, project, type=kind, due=tomorrow)
    rows.an_open_round(connection, monitor, AT, None if kind == "http_request" else [], AT + MINUTE)
    settle((monitor, AT), now=AT + MINUTE)
    assert rows.state(connection, monitor)["next_run_at"] == AT + MINUTE + aggregate.RECHECK_DELAY


@pytest.mark.parametrize("state", [{"last_ping_at": AT + timedelta(seconds=1)}, {"next_run_at": AT + MINUTE}])
def test_a_lost_round_moves_no_newer_deadline_of_a_heartbeat_and_no_earlier_check(
    connection: Db, project: UUID, state: dict[str, Any]
) -> None:
    heartbeat = rows.a_monitor(connection, project, "", type="heartbeat", due=AT + timedelta(days=1))
    for column, moment in state.items():
        connection.execute(f"UPDATE monitor_states SET {column} = %s", [moment])
    before = rows.state(connection, heartbeat)["next_run_at"]
    rows.an_open_round(connection, heartbeat, AT, [], AT + MINUTE)
    settle((heartbeat, AT), now=AT + MINUTE)
    assert decided(connection, heartbeat) == ("pending", "error", 0, AT)
    assert rows.state(connection, heartbeat)["next_run_at"] == before


def test_the_result_of_a_missed_heartbeat_is_waited_for(connection: Db, project: UUID) -> None:
    # Given a missed heartbeat whose check has not run yet
    heartbeat = rows.a_heard_monitor(connection, project, "", type="heartbeat", state={"status": "up"})
    rows.an_open_round(connection, heartbeat, AT, [], AT + MINUTE)
    settle((heartbeat, AT), now=AT + timedelta(seconds=20))
    assert decided(connection, heartbeat) == ("up", None, 0, None)
    # When it answers, the miss is alerted
    missed: dict[str, Any] = {"error_code": "HEARTBEAT_MISSED", "error_message": "No ping arrived in time."}
    rows.a_result(connection, heartbeat, AT, "down", None, response_time_ms=None, **missed)
    settle((heartbeat, AT), now=AT + timedelta(seconds=25))
    assert decided(connection, heartbeat) == ("down", "down", 1, AT)
    assert alerts(connection) == [("heartbeat.missed", 1, 1)]


@pytest.mark.parametrize("status", ["up", "down", "pending"])
def test_an_error_round_changes_neither_status_nor_counters(connection: Db, project: UUID, status: str) -> None:
    counters = {"status": status, "consecutive_failures": 2, "consecutive_successes": 3, "failure_sequence": 5}
    monitor = rows.a_monitor(connection, project, state={**counters, "alerts_sent": 2})
    rows.an_open_round(connection, monitor, AT)
    rows.a_result(connection, monitor, AT, "error", error_code="BLOCKED_TARGET")
    settle((monitor, AT))
    state = rows.state(connection, monitor)
    assert {name: state[name] for name in counters} == counters
    assert (state["last_verdict"], state["last_error_code"]) == ("error", "BLOCKED_TARGET")
    assert state["open_scheduled_for"] is None
    assert alerts(connection) == []


def test_a_location_with_an_error_counts_neither_way(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project, config=everywhere("all"))
    rows.an_open_round(connection, monitor, AT, TWO)
    rows.a_result(connection, monitor, AT, "up", expected=TWO)
    rows.a_result(connection, monitor, AT, "error", "eu-central", TWO)
    settle((monitor, AT))
    assert decided(connection, monitor) == ("up", "up", 0, AT)


def test_the_rounds_of_a_deleted_monitor_are_skipped(connection: Db, monitor: UUID, project: UUID) -> None:
    other = rows.a_monitor(connection, project)
    for watched in (monitor, other):
        rows.a_result(connection, watched, AT, "down")
    connection.execute("DELETE FROM monitors WHERE id = %s", [monitor])
    settle((monitor, AT), (other, AT), (uuid4(), AT))
    assert len(alerts(connection)) == 1
    assert decided(connection, other)[0] == "down"


def test_the_open_round_of_a_monitor_that_was_paused_is_closed_and_decides_nothing(
    connection: Db, monitor: UUID
) -> None:
    rows.an_open_round(connection, monitor, AT)
    rows.a_result(connection, monitor, AT, "down")
    connection.execute("UPDATE monitors SET enabled = false")
    settle((monitor, AT))
    assert decided(connection, monitor) == ("pending", None, 0, None)
    assert rows.state(connection, monitor)["open_scheduled_for"] is None
    assert alerts(connection) == []


def test_an_old_round_leaves_the_newer_open_one_unchanged(connection: Db, monitor: UUID) -> None:
    rows.a_result(connection, monitor, AT)
    rows.an_open_round(connection, monitor, AT + MINUTE)
    settle((monitor, AT))
    state = rows.state(connection, monitor)
    assert (state["decided_for"], state["open_scheduled_for"]) == (AT, AT + MINUTE)
    assert state["open_expected"] == ["us-east"]


def test_a_whole_outage_alerts_three_times_records_the_limit_and_alerts_the_recovery(
    connection: Db, monitor: UUID
) -> None:
    for number in range(8):
        when = AT + number * MINUTE
        rows.a_result(connection, monitor, when, "up" if number in (0, 7) else "down")
        settle((monitor, when))
    limited = "coalesce(suppressed_because, '') LIKE 'limit: %'"
    found = connection.execute(f"SELECT type, alert_number, {limited} FROM alerts ORDER BY created_at").fetchall()
    assert found == [
        ("monitor.down", 1, False),
        ("monitor.down", 2, False),
        ("monitor.down", 3, False),
        ("monitor.down", None, True),
        ("monitor.up", None, False),
    ]
    counts = connection.execute("SELECT alerts_sent_for_failure FROM monitor_results ORDER BY scheduled_for").fetchall()
    assert [count for (count,) in counts] == [0, 1, 2, 3, 3, 3, 3, 0]


def test_the_alert_freezes_the_content_of_its_message(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project, config=everywhere("all"), state={"status": "up"})
    rows.an_open_round(connection, monitor, AT, TWO)
    timings = {"dnsMs": 1.5, "firstByteMs": 20.0}
    details = {"statusCode": 503, "timings": timings, "resolvedIp": "192.0.2.7"}
    rows.a_result(connection, monitor, AT, "down", expected=TWO, details=details)
    rows.a_result(connection, monitor, AT, "up", "eu-central", TWO, details={"statusCode": 200})
    settle((monitor, AT))
    ((name, reason, context),) = connection.execute("SELECT monitor_name, reason, context FROM alerts").fetchall()
    assert (name, reason) == ("Shop", "No one answers.")
    assert context["status"] == "down"
    assert context["previousStatus"] == "up"
    assert context["errorCode"] == "CONNECTION_REFUSED"
    assert (context["statusCode"], context["timings"]) == (503, timings)
    assert "resolvedIp" not in context
    assert [(location["location"], location["status"]) for location in context["locations"]] == [
        ("eu-central", "up"),
        ("us-east", "down"),
    ]


# --- what must exist only once ------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "number"), [("monitor.down", 2), ("heartbeat.missed", 1), ("monitor.up", None)])
def test_the_database_refuses_a_second_alert_of_the_same_number(
    connection: Db, project: UUID, monitor: UUID, kind: str, number: int | None
) -> None:
    rows.an_alert(connection, project, monitor, type=kind, alert_number=number)
    with pytest.raises(psycopg.errors.UniqueViolation):
        rows.an_alert(connection, project, monitor, type=kind, alert_number=number)
    rows.an_alert(connection, project, monitor, type=kind, alert_number=number, failure_sequence=2)


def test_storing_an_alert_twice_keeps_the_first(connection: Db, project: UUID, monitor: UUID) -> None:
    def an_alert(reason: str) -> NewAlert:
        return NewAlert(uuid4(), project, monitor, "Shop", "monitor.down", 1, 1, reason, {}, None)

    for reason in ("first", "second"):
        with transaction() as db:
            outbox.add_alerts(db, [an_alert(reason)])
    assert connection.execute("SELECT reason FROM alerts").fetchall() == [("first",)]


# --- one poisoned round ------------------------------------------------------------------------------


def test_a_round_that_cannot_be_decided_delays_no_other(
    connection: Db, project: UUID, monitor: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a batch with a round that raises an error
    poisoned = rows.a_monitor(connection, project, config=everywhere("custom", threshold="half"))
    for watched in (monitor, poisoned):
        rows.a_result(connection, watched, AT, "down")
    with pytest.raises(ValueError, match="half"):
        verdict_of(["down"], {"strategy": "custom", "threshold": "half"})
    # When the batch is decided
    aggregate.aggregate.fn([(str(watched), to_micros(AT)) for watched in (poisoned, monitor)])
    # Then each is retried alone, and the valid one is decided
    retries = [message.args[0] for message in messages.waiting(queues.AGGREGATION)]
    assert [len(rounds) for rounds in retries] == [1, 1]
    aggregate.aggregate.fn(retries[1])
    assert decided(connection, monitor)[0] == "down"
    with pytest.raises(ValueError, match="half"):
        aggregate.aggregate.fn(retries[0])


def test_an_older_ping_in_the_same_batch_gets_the_maintenance_windows_of_its_time(
    connection: Db, project: UUID
) -> None:
    # Given a failure in a window that is over, and a success after it; both were recorded late
    heartbeat = rows.a_monitor(connection, project, "", type="heartbeat", state={"status": "up", "last_verdict": "up"})
    rows.a_provider(connection, project, "http://127.0.0.1:9/", heartbeat)
    rows.a_window(connection, project, AT - MINUTE, AT + MINUTE)
    connection.execute("UPDATE maintenance_windows SET occurred_from = occurs_from, occurred_until = occurs_until")
    connection.execute("UPDATE maintenance_windows SET occurs_from = NULL, occurs_until = NULL")
    connection.execute("UPDATE monitor_states SET decided_for = %s", [AT - 5 * MINUTE])
    rows.a_result(connection, heartbeat, AT, "down", location=None, expected=[])
    rows.a_result(connection, heartbeat, AT + 5 * MINUTE, location=None, expected=[])
    # When the message of the success arrives first
    settle((heartbeat, AT + 5 * MINUTE))
    # Then the planned failure is not alerted
    sent = connection.execute("SELECT type FROM alerts WHERE suppressed_because IS NULL").fetchall()
    assert sent == []
