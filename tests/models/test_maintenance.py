"""Results in a maintenance window: kept and marked, and left out of every sum."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from models.connections.database import transaction
from models.queries import certificates, pings, rollups
from tests import rows

Db = psycopg.Connection[Any]
AT = datetime(2026, 5, 4, 12, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TOKEN = hashlib.sha256(b"a heartbeat's token").digest()


@pytest.fixture
def project(connection: Db) -> UUID:
    return rows.a_project(connection)


def marked(db: Db) -> list[bool]:
    """Of every result, oldest first, whether it is marked."""
    query = "SELECT details = '{\"maintenance\": true}' FROM monitor_results ORDER BY scheduled_for"
    return [bool(row[0]) for row in db.execute(query)]


def sums(db: Db, table: str = "hourly") -> list[tuple[Any, ...]]:
    return db.execute(f"SELECT up, down, error, response_count FROM monitor_rollups_{table}").fetchall()  # type: ignore[call-overload, no-any-return]


def test_rounds_in_a_window_are_kept_marked_and_not_summed(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project)
    rows.a_window(connection, project, AT, AT + 5 * MINUTE)
    for minute, status in enumerate(["up", "down", "up", "error", "down", "up", "down"], start=-1):
        rows.a_result(connection, monitor, AT + minute * MINUTE, status)
    # The begin belongs to the window, its end does not.
    assert marked(connection) == [False, True, True, True, True, True, False]
    assert sums(connection) == [(1, 1, 0, 1)]
    with transaction() as db:
        rollups.sum_day(db, AT.date(), [monitor])
    assert sums(connection, "daily") == [(1, 1, 0, 1)]


def test_a_result_that_comes_after_its_window_moved_on_still_belongs_to_it(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project)
    later = {"occurs_from": AT + 60 * MINUTE, "occurs_until": AT + 65 * MINUTE}
    past = {"occurred_from": AT, "occurred_until": AT + 5 * MINUTE}
    rows.a_window(connection, project, AT, AT + 5 * MINUTE, **later, **past)
    rows.a_result(connection, monitor, AT + MINUTE, "down")
    rows.a_result(connection, monitor, AT + 5 * MINUTE, "up")
    assert marked(connection) == [True, False]
    assert sums(connection) == [(1, 0, 0, 1)]


@pytest.mark.parametrize(("tag", "planned"), [("blue", True), ("green", False)])
def test_a_window_of_a_tag_holds_for_those_who_carry_it(connection: Db, project: UUID, tag: str, planned: bool) -> None:
    monitor = rows.a_monitor(connection, project, tags=["red", "blue"])
    rows.a_window(connection, project, AT, AT + 5 * MINUTE, tag=tag)
    rows.a_result(connection, monitor, AT)
    assert marked(connection) == [planned]
    assert len(sums(connection)) == (0 if planned else 1)


def test_one_group_of_results_may_hold_both_kinds(connection: Db, project: UUID) -> None:
    from models.queries import results
    from tests.models.test_results import a_row

    mine, other = rows.a_monitor(connection, project), rows.a_monitor(connection, project)
    rows.a_window(connection, project, AT, AT + 5 * MINUTE, mine)
    with transaction() as db:
        results.store(db, [a_row(one, AT) for one in (mine, other)])
    assert rows.value(connection, "SELECT array_agg(monitor_id) FROM monitor_rollups_hourly") == [other]


def test_storing_a_result_in_a_window_twice_is_the_same_as_once(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project)
    window = rows.a_window(connection, project, AT, AT + 5 * MINUTE)
    rows.a_result(connection, monitor, AT)
    connection.execute("DELETE FROM maintenance_windows WHERE id = %s", [window])
    rows.a_result(connection, monitor, AT)
    assert marked(connection) == [True]
    assert sums(connection) == []


@pytest.mark.parametrize("minute", [-1, 0, 4, 5])
def test_pings_in_a_window_are_kept_marked_and_not_summed(connection: Db, project: UUID, minute: int) -> None:
    heartbeat = rows.a_monitor(connection, project, "", type="heartbeat", heartbeat_token_hash=TOKEN)
    rows.a_window(connection, project, AT, AT + 5 * MINUTE, heartbeat)
    planned = 0 <= minute < 5
    with transaction() as db:
        found = pings.record(db, pings.Ping(uuid4(), TOKEN, AT + minute * MINUTE, pings.Kind.SUCCESS, {"ip": None}))
    assert found is not None
    details = rows.value(connection, "SELECT details FROM monitor_results")
    assert details == {"source": {"ip": None}, **({"maintenance": True} if planned else {})}
    assert sums(connection) == ([] if planned else [(1, 0, 0, 0)])


def test_a_ping_of_a_heartbeat_with_a_pending_recovery_is_left_to_the_pipeline(connection: Db, project: UUID) -> None:
    state = {"status": "up", "last_verdict": "up", "decided_for": AT - MINUTE, "last_ping_at": AT - MINUTE}
    rows.a_monitor(
        connection, project, "", type="heartbeat", heartbeat_token_hash=TOKEN, state={**state, "alerts_sent": 1}
    )
    with transaction() as db:
        found = pings.record(db, pings.Ping(uuid4(), TOKEN, AT, pings.Kind.SUCCESS, {"ip": None}))
    assert found is not None
    assert found.undecided


@pytest.mark.parametrize("suppressed_by", ["window", "mute"])
def test_a_certificate_is_warned_of_when_the_monitor_is_suppressed_no_longer(
    connection: Db, project: UUID, suppressed_by: str
) -> None:
    monitor = rows.a_monitor(connection, project)
    if suppressed_by == "window":
        rows.a_window(connection, project, AT, AT + 5 * MINUTE)
    else:
        connection.execute("UPDATE monitors SET muted_until = %s", [AT + 5 * MINUTE])
    with transaction() as db:
        assert certificates.record_warning(db, monitor, "ab" * 32, 14, AT + MINUTE) is None
        assert certificates.record_warning(db, monitor, "ab" * 32, 14, AT + 5 * MINUTE) is not None
