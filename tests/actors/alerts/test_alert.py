"""Alerts planned: to whom they are sent."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from actors import queues
from actors.alerts.alert import alert
from tests import messages, rows

Db = psycopg.Connection[Any]
NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def monitor(connection: Db, project: UUID) -> UUID:
    return rows.a_monitor(connection, project)


def planned(db: Db) -> list[tuple[Any, ...]]:
    return db.execute("SELECT status, planned_at IS NOT NULL, suppressed_because FROM alerts").fetchall()


def test_planning_twice_equals_once(connection: Db, project: UUID, monitor: UUID) -> None:
    # Given an alert and two channels
    providers = {rows.a_provider(connection, project, NOWHERE, monitor) for _ in range(2)}
    one = str(rows.an_alert(connection, project, monitor))
    # When it is planned twice
    alert.fn([one])
    alert.fn([one])
    # Then each channel has one delivery and one message
    found = connection.execute("SELECT id, provider_id, status, attempts FROM deliveries").fetchall()
    assert {row[1] for row in found} == providers
    assert [row[2:] for row in found] == [("pending", 0)] * 2
    sent = sorted(message.args[0] for message in messages.waiting(queues.DELIVERIES))
    assert sent == sorted(str(row[0]) for row in found)
    assert planned(connection) == [("pending", True, None)]


def test_a_held_back_alert_is_on_record_with_its_reason_and_tells_nobody(
    connection: Db, project: UUID, monitor: UUID
) -> None:
    rows.a_provider(connection, project, NOWHERE, monitor)
    connection.execute("UPDATE monitors SET alert_on_failure = false")
    alert.fn([str(rows.an_alert(connection, project, monitor))])
    ((status, done, because),) = planned(connection)
    assert (status, done) == ("suppressed", True)
    assert because.startswith("off: failure alerts")
    assert messages.waiting(queues.DELIVERIES) == []


def test_disabled_providers_and_those_of_other_monitors_are_not_told(
    connection: Db, project: UUID, monitor: UUID
) -> None:
    rows.a_provider(connection, project, NOWHERE, monitor, enabled=False)
    rows.a_provider(connection, project, NOWHERE, rows.a_monitor(connection, project))
    alert.fn([str(rows.an_alert(connection, project, monitor))])
    assert planned(connection)[0][2].startswith("no provider")
    assert rows.value(connection, "SELECT count(*) FROM deliveries") == 0


@pytest.mark.parametrize(
    ("failure", "is_sent"), [("sent", True), ("failed", True), ("pending", True), ("suppressed", False)]
)
def test_a_recovery_is_told_where_its_failure_was(
    connection: Db, project: UUID, monitor: UUID, failure: str, is_sent: bool
) -> None:
    rows.a_provider(connection, project, NOWHERE, monitor)
    rows.an_alert(connection, project, monitor, status=failure, planned_at=datetime.now(UTC))
    recovery = rows.an_alert(connection, project, monitor, type="monitor.up", alert_number=None)
    alert.fn([str(recovery)])
    status = rows.value(connection, "SELECT status FROM alerts WHERE id = %s", recovery)
    assert (status == "pending") is is_sent


def test_alerts_that_are_gone_are_passed_over(connection: Db, project: UUID, monitor: UUID) -> None:
    rows.a_provider(connection, project, NOWHERE, monitor)
    one = rows.an_alert(connection, project, monitor)
    alert.fn([str(uuid4()), str(one)])
    assert len(messages.waiting(queues.DELIVERIES)) == 1
