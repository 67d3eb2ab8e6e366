"""What becomes of an alert when its deliveries end at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from models.connections.database import transaction
from models.queries import deliveries
from models.queries.deliveries import Attempt, ClaimedDelivery
from tests import rows
from tests.waiting import until

Db = psycopg.Connection[Any]
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def claimed(delivery: UUID) -> ClaimedDelivery:
    with transaction() as db:
        one = deliveries.claim(db, delivery, "test")
    assert one is not None
    return one


def made(error: str | None = None) -> Attempt:
    return Attempt(datetime.now(UTC), 3.0, error)


@pytest.mark.parametrize(("second_fails", "status"), [(False, "sent"), (True, "failed")])
def test_an_alert_follows_from_two_deliveries_that_end_at_once(connection: Db, second_fails: bool, status: str) -> None:
    # Given an alert with two deliveries, both on their way
    project = rows.a_project(connection)
    monitor = rows.a_monitor(connection, project)
    alert = rows.an_alert(connection, project, monitor, planned_at=datetime.now(UTC))
    first, second = (
        claimed(
            rows.a_delivery(connection, alert, rows.a_provider(connection, project, "http://127.0.0.1:9/", monitor))
        )
        for _ in range(2)
    )

    def end_second() -> None:
        with transaction(pipelined=True) as db:
            if second_fails:
                deliveries.record_failure(db, second, made("No such hook."), broken=True)
            else:
                deliveries.record_success(db, second, made())

    # When one's end is not committed yet, and the other one ends
    with ThreadPoolExecutor(1) as pool:
        with transaction() as db:
            deliveries.record_success(db, first, made())
            ending = pool.submit(end_second)
            until(lambda: rows.value(connection, WAITS) == 1, what="the second waits for the first")
        ending.result(timeout=10)
    # Then the alert knows of both
    assert rows.value(connection, "SELECT status FROM alerts") == status


@pytest.mark.parametrize("end", ["postponed", "failed", "deferred"])
def test_a_process_that_was_thought_dead_undoes_nothing_of_its_successors(connection: Db, end: str) -> None:
    # Given a delivery that was taken from a process, and sent by its successor
    project = rows.a_project(connection)
    monitor = rows.a_monitor(connection, project)
    fallback = rows.a_provider(connection, project, "http://127.0.0.1:9/")
    provider = rows.a_provider(connection, project, "http://127.0.0.1:9/", monitor, fallback_provider_id=fallback)
    alert = rows.an_alert(connection, project, monitor, planned_at=datetime.now(UTC))
    old = claimed(rows.a_delivery(connection, alert, provider))
    with transaction() as db:
        deliveries.release(db, ["test"])
        again = deliveries.claim(db, old.id, "another")
        assert again is not None
        deliveries.record_success(db, again, made())
    # When the first one comes back with its failure
    with transaction(pipelined=True) as db:
        match end:
            case "postponed":
                deliveries.record_retry(db, old, made("Timed out."), datetime.now(UTC))
            case "failed":
                assert deliveries.record_failure(db, old, made("No such hook."), broken=True) == []
            case _:
                deliveries.defer(db, old, datetime.now(UTC), "Waits.")
    # Then nothing of it counts
    found = connection.execute(
        "SELECT d.status, d.attempts, a.status FROM deliveries d JOIN alerts a ON a.id = d.alert_id"
    )
    assert found.fetchall() == [("sent", 2, "sent")]
    assert rows.value(connection, "SELECT bool_or(broken) FROM notification_providers") is False


def test_a_message_that_was_taken_counts_whoever_holds_the_delivery(connection: Db) -> None:
    project = rows.a_project(connection)
    monitor = rows.a_monitor(connection, project)
    alert = rows.an_alert(connection, project, monitor, planned_at=datetime.now(UTC))
    old = claimed(
        rows.a_delivery(connection, alert, rows.a_provider(connection, project, "http://127.0.0.1:9/", monitor))
    )
    with transaction() as db:
        deliveries.release(db, ["test"])
        deliveries.record_success(db, old, made())
    assert connection.execute("SELECT status FROM deliveries").fetchall() == [("sent",)]
