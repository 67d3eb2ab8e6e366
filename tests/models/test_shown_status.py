"""The status that users see: the rule in Python and the rule in SQL agree."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import psycopg
from sqlalchemy import select

import settings
from models.tables import Monitor, MonitorState, shown_status, shown_status_expression
from ops import bootstrap
from tests import rows

STATUSES = ("pending", "up", "down")
VERDICTS = (None, "up", "down", "error")


def test_python_and_sql_give_the_same_status_for_every_state(
    connection: psycopg.Connection[Any],
) -> None:
    # Given a monitor in every state, in and outside of a maintenance window
    now, project = datetime.now(UTC), rows.a_project(connection)
    for enabled, maintained, status, verdict in product((True, False), (True, False), STATUSES, VERDICTS):
        state = {"status": status, "last_verdict": verdict}
        monitor = rows.a_monitor(connection, project, enabled=enabled, state=state)
        if maintained:
            hour = timedelta(hours=1)
            rows.a_window(connection, project, now - hour, now + hour, monitor)
    # When the status of each is computed both ways
    with bootstrap.session(settings.get()) as session:
        query = select(Monitor, MonitorState, shown_status_expression()).join(MonitorState)
        shown = [(shown_status(monitor, state), in_sql) for monitor, state, in_sql in session.execute(query)]
    # Then they agree
    assert len(shown) == 2 * 2 * len(STATUSES) * len(VERDICTS)
    assert [in_python for in_python, _ in shown] == [in_sql for _, in_sql in shown]
    assert {in_python for in_python, _ in shown} == {"paused", "maintenance", "error", "pending", "up", "down"}
