"""Failure alerts without a recipient use no alert number, and a channel that is added gets the next ones."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors.verdicts import aggregate
from tests import rows

Db = psycopg.Connection[Any]
MINUTE = timedelta(minutes=1)
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
WITHOUT_RECIPIENT = {
    "no provider": "DELETE FROM monitor_notification_settings",
    "the provider is disabled": "UPDATE notification_providers SET enabled = false",
    "alerts are off": "UPDATE monitors SET alerts_enabled = false",
    "failure alerts are off": "UPDATE monitors SET alert_on_failure = false",
}
WITH_RECIPIENT = (
    "INSERT INTO monitor_notification_settings (monitor_id, provider_id)"
    " SELECT m.id, p.id FROM monitors m, notification_providers p ON CONFLICT DO NOTHING",
    "UPDATE notification_providers SET enabled = true",
    "UPDATE monitors SET alerts_enabled = true, alert_on_failure = true",
)


@pytest.fixture
def monitor(connection: Db, project: UUID) -> UUID:
    return rows.a_heard_monitor(connection, project, state={"status": "up", "last_verdict": "up"})


def decide(db: Db, monitor: UUID, minutes: range, status: str = "down") -> None:
    for minute in minutes:
        scheduled = AT + minute * MINUTE
        rows.a_result(db, monitor, scheduled, status)
        aggregate.settle([(monitor, scheduled)], scheduled + timedelta(seconds=1))


def alerts(db: Db) -> list[tuple[Any, ...]]:
    """Return (type, number, count of deliveries) of each alert, oldest first."""
    query = (
        "SELECT type, alert_number, (SELECT count(*) FROM deliveries d WHERE d.alert_id = a.id)"
        " FROM alerts a ORDER BY created_at"
    )
    return db.execute(query).fetchall()


@pytest.mark.parametrize("why", WITHOUT_RECIPIENT)
def test_an_alert_without_a_recipient_is_recorded_once_and_does_not_count(
    connection: Db, monitor: UUID, why: str
) -> None:
    connection.execute(WITHOUT_RECIPIENT[why].encode())
    decide(connection, monitor, range(6))
    assert alerts(connection) == [("monitor.down", None, 0)]
    state = rows.state(connection, monitor)
    assert (state["status"], state["alerts_sent"], state["pending_alert"]) == ("down", 0, False)
    decide(connection, monitor, range(6, 7), "up")
    assert rows.value(connection, "SELECT count(*) FROM deliveries") == 0
    assert rows.value(connection, "SELECT ended_at IS NOT NULL FROM incidents")


@pytest.mark.parametrize("why", WITHOUT_RECIPIENT)
def test_a_channel_that_is_added_in_the_outage_gets_the_next_failures_and_the_recovery(
    connection: Db, monitor: UUID, why: str
) -> None:
    connection.execute(WITHOUT_RECIPIENT[why].encode())
    decide(connection, monitor, range(5))
    for statement in WITH_RECIPIENT:
        connection.execute(statement.encode())
    decide(connection, monitor, range(5, 10))
    decide(connection, monitor, range(10, 11), "up")
    assert alerts(connection) == [
        ("monitor.down", None, 0),
        ("monitor.down", 1, 1),
        ("monitor.down", 2, 1),
        ("monitor.down", 3, 1),
        ("monitor.down", None, 0),
        ("monitor.up", None, 1),
    ]
    because = rows.value(
        connection, "SELECT suppressed_because FROM alerts WHERE starts_with(suppressed_because, 'limit:')"
    )
    assert because == "limit: the limit of 3 alerts for this outage was reached"


def test_an_outage_in_maintenance_without_a_recipient_is_not_rechecked_repeatedly(
    connection: Db, project: UUID, monitor: UUID
) -> None:
    connection.execute("DELETE FROM monitor_notification_settings")
    rows.a_window(connection, project, AT, AT + 3 * MINUTE, monitor)
    decide(connection, monitor, range(1, 2))
    assert rows.state(connection, monitor)["pending_alert"]
    decide(connection, monitor, range(4, 6))
    assert not rows.state(connection, monitor)["pending_alert"]
    assert rows.state(connection, monitor)["suppressed_by"] == "maintenance no-provider"
