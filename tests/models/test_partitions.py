"""The daily partitions of results."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from models.connections.database import transaction
from models.queries import partitions
from tests import rows

Db = psycopg.Connection[Any]
#: Far away from the days that other tests make.
DAY = date(2031, 7, 10)
NOON = datetime(2031, 7, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clean(connection: Db) -> Iterator[None]:
    yield
    for offset in range(-10, 20):
        connection.execute(f"DROP TABLE IF EXISTS {partitions.name_of(DAY + timedelta(days=offset))}")


def make(today: date) -> list[str]:
    with transaction() as db:
        return partitions.create_ahead(db, today)


def where(db: Db, monitor: Any) -> list[str]:
    found = db.execute(
        "SELECT tableoid::regclass::text FROM monitor_results WHERE monitor_id = %s ORDER BY scheduled_for", [monitor]
    )
    return [row[0] for row in found]


def test_partitions_are_made_from_yesterday_to_a_week_ahead_and_only_once() -> None:
    made = make(DAY)
    assert made == [f"monitor_results_203107{day:02}" for day in range(9, 18)]
    assert make(DAY) == []
    assert make(DAY + timedelta(days=1)) == ["monitor_results_20310718"]


def test_two_schedulers_may_make_them_at_once() -> None:
    start, made, errors = threading.Barrier(2), [], []

    def scheduler() -> None:
        start.wait()
        try:
            made.extend(make(DAY))
        except psycopg.Error as error:
            errors.append(error)

    both = [threading.Thread(target=scheduler) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert errors == []
    assert len(made) == len(set(made)) == 9


def test_a_row_lands_in_its_own_day_in_utc(connection: Db) -> None:
    make(DAY)
    monitor = uuid4()
    midnight = datetime(2031, 7, 11, tzinfo=UTC)
    rows.a_result(connection, monitor, midnight - timedelta(microseconds=1))
    rows.a_result(connection, monitor, midnight)
    assert where(connection, monitor) == ["monitor_results_20310710", "monitor_results_20310711"]


def test_a_row_outside_every_partition_lands_in_the_default_one(connection: Db) -> None:
    monitor = uuid4()
    rows.a_result(connection, monitor, NOON)
    assert where(connection, monitor) == ["monitor_results_default"]


def test_a_day_whose_rows_came_before_its_partition_gets_one_and_them(connection: Db) -> None:
    # Given rows of a day that had no partition yet, as after a long sleep
    monitor = uuid4()
    rows.a_result(connection, monitor, NOON)
    rows.a_result(connection, monitor, NOON + timedelta(days=60))
    # When the partitions are made
    assert len(make(DAY)) == 9
    # Then the row is in its own, that of another day stays, and both are found as ever
    assert where(connection, monitor) == ["monitor_results_20310710", "monitor_results_default"]
    rows.a_result(connection, monitor, NOON)
    assert len(where(connection, monitor)) == 2, "its identity is still known"


def test_a_new_partition_has_the_indexes_of_all(connection: Db) -> None:
    make(DAY)
    indexes = rows.value(connection, "SELECT count(*) FROM pg_indexes WHERE tablename = 'monitor_results_20310710'")
    assert indexes == rows.value(connection, "SELECT count(*) FROM pg_indexes WHERE tablename = 'monitor_results'")
