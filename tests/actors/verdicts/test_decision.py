"""One round decided without a database: a snapshot and results in, a decision out."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.range import Range

from actors.verdicts.decision import Decision, decide
from models.queries.incidents import IncidentClosed, IncidentOpened
from models.queries.monitor_states import MonitorSnapshot
from models.queries.rounds import LocationResult, ResultAnnotation
from models.rules.monitor_state import State

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = AT + timedelta(seconds=2)
MINUTE = timedelta(minutes=1)
MONITOR, PROJECT = UUID(int=1), UUID(int=2)
UP = State(status="up", last_verdict="up", open_scheduled_for=AT)


def a_snapshot(state: State = UP, **values: Any) -> MonitorSnapshot:
    standard = {
        "monitor_id": MONITOR,
        "project_id": PROJECT,
        "name": "Shop",
        "type": "http_request",
        "locations": None,
        "failure_threshold": 1,
        "recovery_threshold": 1,
        "enabled": True,
        "muted_until": None,
        "alerts_enabled": True,
        "alert_on_failure": True,
        "has_provider": True,
        "next_run_at": AT + MINUTE,
        "open_expected": ["us-east"],
        "open_deadline": AT + MINUTE,
        "windows": [],
    }
    return MonitorSnapshot(**{**standard, **values}, state=state)


def a_result(status: str, location: str | None = "us-east", code: str | None = None) -> LocationResult:
    code = code or (None if status == "up" else "TIMEOUT")
    message = None if status == "up" else "It took too long."
    return LocationResult(MONITOR, AT, location, ["us-east"], status, 12.5, code, message, AT + MINUTE / 60)


def decided(*results: LocationResult, state: State = UP, now: datetime = NOW, **values: Any) -> Decision:
    decision = decide(a_snapshot(state, **values), AT, results, now)
    assert decision is not None
    return decision


def test_a_failed_round_changes_the_state_opens_an_incident_and_alerts() -> None:
    failed = a_result("down")
    decision = decided(failed)
    state = decision.state
    assert (state.status, state.consecutive_failures, state.alerts_sent, state.down_since) == (
        "down",
        1,
        1,
        failed.checked_at,
    )
    assert (state.decided_for, state.open_scheduled_for, state.last_status_change_at) == (AT, None, NOW)
    assert (state.last_error_code, state.last_error_message) == ("TIMEOUT", "It took too long.")
    assert decision.annotation == ResultAnnotation(MONITOR, AT, True, 1, 1)
    assert decision.incident == IncidentOpened(MONITOR, 1, failed.checked_at, "TIMEOUT", "It took too long.", False, AT)
    assert decision.alert is not None
    assert (decision.alert.type, decision.alert.alert_number, decision.alert.suppressed_because) == (
        "monitor.down",
        1,
        None,
    )
    assert decision.event is not None
    assert (decision.event.status, decision.event.previous_status, decision.event.result) == ("down", "up", failed)


def test_a_recovery_closes_the_incident_and_says_how_long_it_lasted() -> None:
    down = State(status="down", failure_sequence=4, alerts_sent=2, down_since=NOW - 5 * MINUTE, open_scheduled_for=AT)
    decision = decided(a_result("up"), state=down)
    assert decision.incident == IncidentClosed(MONITOR, 4, NOW)
    assert decision.alert is not None
    assert (decision.alert.type, decision.alert.reason) == ("monitor.up", "Recovered.")
    assert decision.alert.context["downForSeconds"] == 300


def test_a_success_of_a_monitor_that_is_up_changes_only_its_state() -> None:
    decision = decided(a_result("up"))
    assert decision.state.consecutive_successes == 1
    assert (decision.annotation, decision.incident, decision.alert) == (None, None, None)


def test_a_round_in_maintenance_records_the_alert_as_suppressed() -> None:
    decision = decided(a_result("down"), windows=[Range(AT - MINUTE, AT + MINUTE)])
    assert decision.state.pending_alert
    assert isinstance(decision.incident, IncidentOpened)
    assert decision.incident.in_maintenance
    assert decision.alert is not None
    assert decision.alert.suppressed_because is not None
    assert decision.alert.suppressed_because.startswith("maintenance: ")
    assert decision.event is not None
    assert decision.event.status == "maintenance"


def test_a_failure_without_a_recipient_is_recorded_and_not_pending() -> None:
    decision = decided(a_result("down"), has_provider=False)
    assert (decision.state.suppressed_by, decision.state.pending_alert) == ("no-provider", False)
    assert decision.alert is not None
    assert decision.alert.suppressed_because is not None
    assert decision.alert.suppressed_because.startswith("no provider: ")


@pytest.mark.parametrize(
    ("results", "now", "is_decided"),
    [([], NOW, False), ([], AT + MINUTE, True), (["up"], NOW, False), (["up"], AT + MINUTE, True)],
)
def test_an_incomplete_round_is_decided_at_its_deadline(results: list[str], now: datetime, is_decided: bool) -> None:
    snapshot = a_snapshot(open_expected=["us-east", "moon"])
    decision = decide(snapshot, AT, [a_result(status) for status in results], now)
    assert (decision is not None) == is_decided
    if decision is not None:
        assert list(decision.silent_locations) == (["moon"] if results else ["us-east", "moon"])
        assert decision.is_lost == (not results)
        assert decision.state.last_error_code == (None if results else "NO_ANSWER")


@pytest.mark.parametrize("values", [{"enabled": False}, {"state": UP._replace(decided_for=AT)}])
def test_an_open_round_that_must_not_be_decided_is_closed(values: dict[str, Any]) -> None:
    before = values.get("state", UP)
    assert decided(a_result("down"), **values) == Decision((MONITOR, AT), before._replace(open_scheduled_for=None))


@pytest.mark.parametrize(
    ("statuses", "values"),
    [
        (["down"], {"enabled": False}),
        (["down"], {"state": State(decided_for=AT + MINUTE, open_scheduled_for=AT + MINUTE)}),
        ([], {"state": State(open_scheduled_for=AT + MINUTE)}),
    ],
)
def test_a_round_that_is_not_open_and_must_not_be_decided_changes_nothing(
    statuses: list[str], values: dict[str, Any]
) -> None:
    snapshot = a_snapshot(**{"state": UP._replace(open_scheduled_for=None), **values})
    assert decide(snapshot, AT, [a_result(status) for status in statuses], NOW) is None


def test_a_miss_whose_round_a_ping_has_closed_is_obsolete() -> None:
    state = State(status="up", decided_for=AT - MINUTE)
    decision = decided(a_result("down", None, "HEARTBEAT_MISSED"), state=state, type="heartbeat", open_expected=None)
    assert decision == Decision((MONITOR, AT), state, is_obsolete_miss=True)


def test_deciding_a_round_again_changes_nothing() -> None:
    results = [a_result("down")]
    snapshot = a_snapshot()
    decision = decide(snapshot, AT, results, NOW)
    assert decision is not None
    assert decide(snapshot._replace(state=decision.state), AT, results, NOW) is None
