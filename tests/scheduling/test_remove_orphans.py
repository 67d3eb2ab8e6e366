"""Daily rollups, and the removal of the rows of deleted monitors."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from models.queries import orphans
from scheduling import remove_orphans, sum_days
from tests import rows

Db = psycopg.Connection[Any]
NOW = datetime.now(UTC)


def kept(db: Db) -> dict[str, set[UUID]]:
    return {table: {row[0] for row in db.execute(f"SELECT monitor_id FROM {table}")} for table in orphans.TABLES}


def test_the_rows_of_a_deleted_monitor_are_removed_and_no_others(
    connection: Db, project: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given three monitors with results on two days, sums and pings, and one of them deleted
    monkeypatch.setattr(orphans, "BATCH", 2)
    monitors = [rows.a_monitor(connection, project) for _ in range(3)]
    for monitor in monitors:
        for number in range(5):
            rows.a_result(connection, monitor, NOW - number * timedelta(hours=9))
        connection.execute(
            "INSERT INTO heartbeat_pings (id, monitor_id, received_at, kind)"
            " SELECT gen_random_uuid(), %s, now(), 'log' FROM generate_series(1, 3)",
            [monitor],
        )
    sum_days.sum_days.fn()
    assert all(found == set(monitors) for found in kept(connection).values())
    connection.execute("DELETE FROM monitors WHERE id = %s", [monitors[1]])
    # When orphans are removed
    remove_orphans.remove_orphans.fn()
    # Then its rows are gone
    assert all(found == {monitors[0], monitors[2]} for found in kept(connection).values())
    assert rows.value(connection, "SELECT count(*) FROM monitor_results") == 10


def test_days_are_summed_for_more_monitors_than_one_batch(
    connection: Db, project: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sum_days, "BATCH", 2)
    for _ in range(3):
        rows.a_result(connection, rows.a_monitor(connection, project), NOW)
    sum_days.sum_days.fn()
    assert rows.value(connection, "SELECT count(*) FROM monitor_rollups_daily WHERE up = 1") == 3
