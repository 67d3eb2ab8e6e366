"""Results stored once, and the sums that follow from them."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from models.connections.database import transaction
from models.queries import pings, results, rollups
from models.queries.results import ResultRow
from models.rules import histogram
from models.rules.round_ids import result_id
from tests import rows

Db = psycopg.Connection[Any]
AT = datetime(2026, 5, 4, 12, 59, 30, tzinfo=UTC)
SUMS = "up, down, error, response_count, response_sum, response_min, response_max, histogram"


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20260504)


def a_row(monitor: UUID, scheduled: datetime = AT, **values: Any) -> ResultRow:
    location = values.get("location", "us-east")
    standard: dict[str, Any] = {
        "id": result_id(monitor, scheduled, location),
        "scheduled_for": scheduled,
        "monitor_id": monitor,
        "checked_at": scheduled,
        "location": location,
        "expected": None,
        "status": "up",
        "response_time_ms": 20.0,
        "error_code": None,
        "error_message": None,
        "details": {},
    }
    return ResultRow(**{**standard, **values})


def store(*some: ResultRow) -> None:
    with transaction() as db:
        results.store(db, some)


def stored(db: Db) -> int:
    return int(rows.value(db, "SELECT count(*) FROM monitor_results"))


def many(chance: random.Random, monitors: list[UUID]) -> list[ResultRow]:
    """Results of several monitors over two days, from two locations, in any order."""
    found = []
    for monitor in monitors:
        for minute in range(0, 2 * 24 * 60, 97):
            for location in ("us-east", "eu-central"):
                status = chance.choice(["up", "up", "up", "down", "error"])
                ms = (
                    None if status == "error" else round(4 * chance.expovariate(1 / 80) + 1) / 4
                )  # stored without rounding
                when = AT + timedelta(minutes=minute)
                found.append(a_row(monitor, when, location=location, status=status, response_time_ms=ms))
    chance.shuffle(found)
    return found


def test_a_redelivered_batch_stores_nothing_twice_and_counts_nothing_twice(connection: Db) -> None:
    batch = [a_row(uuid4()), a_row(uuid4(), status="down", response_time_ms=None)]
    store(*batch)
    before = connection.execute(f"SELECT monitor_id, {SUMS} FROM monitor_rollups_hourly ORDER BY 1").fetchall()
    store(*batch)
    store(*batch, a_row(uuid4()))
    assert stored(connection) == 3
    after = connection.execute(f"SELECT monitor_id, {SUMS} FROM monitor_rollups_hourly ORDER BY 1").fetchall()
    assert [row for row in after if row in before] == before
    assert len(after) == 3


def test_a_result_that_is_there_twice_in_one_batch_counts_once(connection: Db) -> None:
    one = a_row(uuid4())
    store(one, one)
    assert stored(connection) == 1
    assert rows.value(connection, "SELECT up FROM monitor_rollups_hourly") == 1


def test_the_first_of_two_answers_to_one_check_stands(connection: Db) -> None:
    monitor = uuid4()
    store(a_row(monitor))
    store(a_row(monitor, status="down", response_time_ms=900.0))
    assert connection.execute("SELECT status, response_time_ms FROM monitor_results").fetchall() == [("up", 20.0)]
    assert connection.execute("SELECT up, down FROM monitor_rollups_hourly").fetchall() == [(1, 0)]


def recount(db: Db, unit: str) -> dict[Any, tuple[Any, ...]]:
    """The sums as they follow from the raw rows, with the buckets counted in Python."""
    found: dict[Any, list[Any]] = {}
    for monitor, when, location, status, ms in db.execute(
        f"SELECT monitor_id, date_trunc('{unit}', scheduled_for), location, status, response_time_ms::float8"
        " FROM monitor_results"
    ):
        sums = found.setdefault((monitor, when, location), [0, 0, 0, 0, 0.0, None, None, [0] * histogram.BUCKETS])
        sums[("up", "down", "error").index(status)] += 1
        if status == "up":
            sums[3] += 1
            sums[4] += ms
            sums[5] = ms if sums[5] is None else min(sums[5], ms)
            sums[6] = ms if sums[6] is None else max(sums[6], ms)
            sums[7][histogram.bucket(ms)] += 1
    return {key: (*sums[:4], pytest.approx(sums[4]), *sums[5:]) for key, sums in found.items()}


def test_the_hourly_sums_equal_a_recount_of_the_raw_rows(connection: Db, chance: random.Random) -> None:
    wanted = many(chance, [uuid4() for _ in range(4)])
    for start in range(0, len(wanted), 37):
        store(*wanted[start : start + 37])
    assert stored(connection) == len(wanted)
    sums = connection.execute(f"SELECT monitor_id, hour, location, {SUMS} FROM monitor_rollups_hourly")
    assert {row[:3]: row[3:] for row in sums} == recount(connection, "hour")


def test_a_days_sums_equal_a_recount_and_summing_again_changes_nothing(connection: Db, chance: random.Random) -> None:
    monitors = [uuid4(), uuid4()]
    wanted = many(chance, monitors)
    store(*wanted[: len(wanted) // 2])
    days = sorted({row.scheduled_for.date() for row in wanted})
    assert len(days) == 3

    def sum_all() -> None:
        for day in days:
            with transaction() as db:
                rollups.sum_day(db, day, monitors)

    sum_all()
    store(*wanted[len(wanted) // 2 :])
    sum_all()
    sum_all()
    select = f"SELECT monitor_id, day::timestamp AT TIME ZONE 'UTC', location, {SUMS} FROM monitor_rollups_daily"
    found = {row[:3]: row[3:] for row in connection.execute(select)}
    assert found == recount(connection, "day")


def test_a_missed_heartbeat_in_the_hour_of_a_ping_leaves_the_histogram_whole(connection: Db) -> None:
    # Given a ping without a duration, and then one that took a second
    token = b"t" * 32
    heartbeat = rows.a_monitor(connection, rows.a_project(connection), "", type="heartbeat", heartbeat_token_hash=token)

    def ping(minutes: int, started: datetime | None = None) -> None:
        connection.execute("UPDATE monitor_states SET run_started_at = %s", [started])
        at = AT - timedelta(minutes=minutes)
        with transaction() as db:
            pings.record(db, pings.Ping(uuid4(), token, at, pings.Kind.SUCCESS, {}))

    ping(50)
    # When a miss is stored by a check worker in the same hour
    store(a_row(heartbeat, AT - timedelta(minutes=40), location=None, status="down", response_time_ms=None))
    ping(30, started=AT - timedelta(minutes=30, seconds=1))
    # Then the hour's sums are those of all three
    assert connection.execute("SELECT up, down, response_count FROM monitor_rollups_hourly").fetchall() == [(2, 1, 1)]
    whole = [0] * histogram.BUCKETS
    whole[histogram.bucket(1000)] = 1
    assert rows.value(connection, "SELECT histogram FROM monitor_rollups_hourly") == whole


def test_a_day_is_a_day_of_utc(connection: Db) -> None:
    midnight = datetime(2026, 5, 5, tzinfo=UTC)
    monitor = uuid4()
    store(a_row(monitor, midnight - timedelta(minutes=1)), a_row(monitor, midnight))
    with transaction() as db:
        db.execute("SET LOCAL TIME ZONE 'Asia/Tokyo'")
        assert rollups.sum_day(db, date(2026, 5, 4), [monitor]) == 1
    assert connection.execute("SELECT day, up FROM monitor_rollups_daily").fetchall() == [(date(2026, 5, 4), 1)]


@pytest.mark.parametrize(
    ("details", "message", "kept"),
    [
        ({"body": "a\0b"}, "a\0b", "ab"),
        ({"body": "a\ud800b"}, "a\ud800b", "ab"),
        ({"a\0": {"inner": ["x\0y", 1, None, True]}}, "plain", "plain"),
        ({"body": "\U0001f600 \\u0000 ü"}, "\U0001f600 \\u0000 ü", "\U0001f600 \\u0000 ü"),
    ],
)
def test_text_that_the_database_refuses_is_left_out_and_the_rest_kept(
    connection: Db, details: dict[str, Any], message: str, kept: str
) -> None:
    store(a_row(uuid4(), status="down", details=details, error_message=message), a_row(uuid4()))
    assert stored(connection) == 2
    found = connection.execute("SELECT error_message, details FROM monitor_results WHERE status = 'down'").fetchone()
    assert found is not None
    assert found[0] == kept
    assert found[1] in ({"body": kept}, {"a": {"inner": ["xy", 1, None, True]}})
