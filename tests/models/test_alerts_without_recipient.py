"""The migration that removes the numbers of alerts without a recipient."""

import importlib
from typing import Any

import psycopg
import pytest

from tests import rows

Db = psycopg.Connection[Any]
NO_RECIPIENT = {"status": "suppressed", "suppressed_because": "no provider: this monitor has none"}
LIMIT = {"status": "suppressed", "suppressed_because": "limit: 3 alerts were sent", "alert_number": None}
OTHER = {"status": "suppressed", "suppressed_because": "storm: sent in a summary"}


@pytest.mark.parametrize(
    ("alerts", "sent", "expected"),
    [
        ([NO_RECIPIENT, NO_RECIPIENT, NO_RECIPIENT, LIMIT], 4, 0),
        ([{"status": "failed"}, NO_RECIPIENT], 2, 1),
        ([NO_RECIPIENT, {"status": "sent"}], 2, 2),
        ([{"status": "sent"}] * 3 + [LIMIT], 4, 4),
        ([OTHER], 1, 1),
        ([], 4, 4),
    ],
)
def test_only_alerts_with_a_recipient_still_count_in_an_open_outage(
    connection: Db, alerts: list[dict[str, Any]], sent: int, expected: int
) -> None:
    project = rows.a_project(connection)
    state = {"status": "down", "failure_sequence": 1, "alerts_sent": sent}
    monitor = rows.a_monitor(connection, project, state=state)
    for number, alert in enumerate(alerts, start=1):
        rows.an_alert(connection, project, monitor, **{"alert_number": number, **alert})
    migration = importlib.import_module("migrations.versions.0018_alerts_without_recipient")
    for statement in (migration.TAKE_NUMBERS_BACK, migration.COUNT_AGAIN):
        connection.execute(statement)
    assert rows.state(connection, monitor)["alerts_sent"] == expected
    query = "SELECT count(*) FROM alerts WHERE alert_number IS NOT NULL AND suppressed_because LIKE 'no provider:%'"
    assert connection.execute(query).fetchone() == (0,)
