"""Deleting a monitor whose round is just being decided."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from tests import factories, rows
from tests.waiting import until
from tests.web.api.cast import Cast

_WAITING = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_deleting_waits_for_the_decision_under_way_and_neither_is_refused(
    cast: Cast, database_url: str, connection: psycopg.Connection[Any]
) -> None:
    # Given a decision that holds the monitor's state
    monitor = factories.a_monitor(cast.project)
    with psycopg.connect(database_url) as deciding, ThreadPoolExecutor(1) as pool:
        deciding.execute("SELECT FROM monitor_states WHERE monitor_id = %s FOR UPDATE", [monitor.id])
        # When the monitor is deleted, and the decision goes on to write its alert
        deleted = pool.submit(cast.editor.delete, f"/monitors/{monitor.id}")
        until(lambda: rows.value(connection, _WAITING))
        rows.an_alert(deciding, monitor.project_id, monitor.id)
        deciding.commit()
        # Then both come to their end
        assert deleted.result(20).status_code == 204
    assert rows.value(connection, "SELECT count(*) FROM monitors WHERE id = %s", monitor.id) == 0
    assert rows.value(connection, "SELECT count(*) FROM alerts") == 1
