"""Pings while PostgreSQL is away: taken where the job is known and the broker has them on disk, refused otherwise."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from models.connections import ping_buffer, ping_pool
from models.queries.pings import Kind, Ping
from tests import messages
from tests.conftest import NO_SERVER, SettingsOf
from tests.factories import a_monitor, an_api_key
from tests.rows import value
from tests.waiting import until
from tests.web.serving import an_app

Db = psycopg.Connection[Any]
TOKEN = "a-token-of-a-heartbeat-that-is-long-enough"
URL = f"/api/heartbeat/{TOKEN}"


@pytest.fixture
def app(connection: Db) -> Iterator[Flask]:
    with an_app() as made:
        yield made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def disk(redis_url: str) -> Iterator["redis.Redis"]:
    """The broker keeps an append-only file, and waits for the disk at every write."""
    with redis.Redis.from_url(redis_url) as made:
        made.config_set("appendfsync", "always")
        made.config_set("appendonly", "yes")
        until(lambda: made.info("persistence")["aof_rewrite_in_progress"] == 0)
        yield made
        made.config_set("appendonly", "no")


class Database:
    """Goes away and comes back."""

    def __init__(self, settings_of: SettingsOf, url: str) -> None:
        self._settings_of, self._url = settings_of, url

    def goes(self) -> None:
        self._settings_of(database_url=NO_SERVER)
        ping_pool._close_pool()

    def returns(self) -> None:
        self._settings_of(database_url=self._url)


@pytest.fixture
def database(app: Flask, settings_of: SettingsOf, database_url: str) -> Database:
    return Database(settings_of, database_url)


def kinds(connection: Db) -> list[str]:
    return [row[0] for row in connection.execute("SELECT kind FROM heartbeat_pings ORDER BY received_at")]


def fold() -> None:
    from scheduling.ping_replay import ping_replay

    ping_replay.fn()


def test_a_known_jobs_pings_are_taken_while_the_database_is_away_and_folded_in_with_their_times(
    client: FlaskClient, connection: Db, database: Database, disk: "redis.Redis"
) -> None:
    # Given a job that has pinged before
    monitor = a_monitor(type="heartbeat", token=TOKEN)
    assert client.get(URL + "/start").data == b"OK"
    # When the database goes away
    database.goes()
    before = datetime.now(UTC)
    assert [client.post(URL + suffix, data="a line").data for suffix in ("/log", "/3", "")] == [b"OK"] * 3
    after = datetime.now(UTC)
    assert ping_buffer.size() == 3
    assert TOKEN not in str(disk.xrange(ping_buffer.STREAM))
    # And comes back
    database.returns()
    fold()
    # Then they are on record, each with its time, and the deadline is that of the last
    assert kinds(connection) == ["start", "log", "fail", "success"]
    rows = connection.execute(
        "SELECT p.received_at, coalesce(p.body, r.details->>'body'), p.exit_code, p.duration_ms FROM heartbeat_pings p"
        " LEFT JOIN monitor_results r ON r.id = p.id ORDER BY p.received_at"
    ).fetchall()
    assert all(before <= row[0] <= after for row in rows[1:])
    assert [row[1] for row in rows[1:]] == ["a line"] * 3
    assert rows[2][2] == 3
    assert rows[2][3] is not None
    due = value(connection, "SELECT next_run_at FROM monitor_states WHERE monitor_id = %s", monitor.id)
    assert due == rows[3][0] + timedelta(minutes=70)
    statuses = connection.execute("SELECT status FROM monitor_results ORDER BY scheduled_for").fetchall()
    assert statuses == [("down",), ("up",)]
    assert [one.args[1] for one in messages.waiting("heartbeat-ping-notification")] == [
        rows[2][0].isoformat(),
        rows[3][0].isoformat(),
    ]
    assert ping_buffer.size() == 0
    # And pings go their usual way again
    until(lambda: not ping_pool.breaker.open, what="the breaker closes")
    assert client.get(URL).data == b"OK"
    assert ping_buffer.size() == 0
    assert len(kinds(connection)) == 5


def test_a_keyword_far_inside_a_body_is_found_while_the_database_is_away(
    client: FlaskClient, connection: Db, database: Database, disk: "redis.Redis"
) -> None:
    a_monitor(type="heartbeat", token=TOKEN, config={"expectKeyword": "all copied"})
    assert client.post(URL, data="all copied").data == b"OK"
    database.goes()
    assert client.post(URL, data="x" * 50_000 + "all copied" + "x" * 50_000).data == b"OK"
    assert client.post(URL, data="x" * 50_000).data == b"OK"
    database.returns()
    fold()
    assert kinds(connection) == ["success", "success", "fail"]


def test_an_unknown_job_is_told_to_come_again_and_a_malformed_address_is_not_found(
    client: FlaskClient, database: Database, disk: "redis.Redis"
) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    database.goes()
    answer = client.get(URL)
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
    assert client.get(URL + "/256").status_code == 404
    assert ping_buffer.size() == 0


def test_a_job_that_needs_an_api_key_is_known_only_with_it(
    client: FlaskClient, connection: Db, database: Database, disk: "redis.Redis"
) -> None:
    from models.tables import Project
    from web.http.extensions import db

    monitor = a_monitor(type="heartbeat", token=TOKEN, config={"requireApiKey": True})
    project = db.session.get(Project, monitor.project_id)
    headers = {"Authorization": f"Bearer {an_api_key(project)}"}
    assert client.get(URL, headers=headers).status_code == 200
    assert client.get(URL).status_code == 401
    database.goes()
    assert client.get(URL).status_code == 503
    assert client.get(URL, headers={"Authorization": "Bearer another"}).status_code == 503
    assert client.get(URL, headers=headers).status_code == 200
    # A key that was revoked during that time is not believed afterwards
    connection.execute("UPDATE api_keys SET revoked_at = now()")
    database.returns()
    fold()
    assert len(kinds(connection)) == 1


def test_without_an_append_only_file_nothing_is_promised(client: FlaskClient, database: Database) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    assert client.get(URL).status_code == 200
    database.goes()
    assert client.get(URL).status_code == 503
    assert ping_buffer.size() == 0


def test_a_database_known_to_be_away_costs_a_ping_no_time(
    client: FlaskClient, database: Database, disk: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    client.get(URL)
    database.goes()
    client.get(URL)
    assert ping_pool.breaker.open
    monkeypatch.setattr(ping_pool, "_record", lambda _: pytest.fail("the database was asked"))
    began = time.monotonic()
    for _ in range(20):
        assert client.get(URL).status_code == 200
    assert time.monotonic() - began < 10


def test_a_ping_that_waits_twice_or_was_recorded_before_is_recorded_once(
    client: FlaskClient, connection: Db, disk: "redis.Redis"
) -> None:
    import hashlib
    from uuid import uuid4

    a_monitor(type="heartbeat", token=TOKEN)
    at = datetime.now(UTC) - timedelta(minutes=3)
    ping = Ping(uuid4(), hashlib.sha256(TOKEN.encode()).digest(), at, Kind.FAIL, {"ip": None}, 2, uuid4(), "é\n", "why")
    assert ping_buffer.put(ping)
    assert ping_buffer.put(ping)
    (first, _) = ping_buffer.oldest(10)
    assert first.ping == ping
    fold()
    assert ping_buffer.put(ping)
    fold()
    assert kinds(connection) == ["fail"]
    assert value(connection, "SELECT sum(down) FROM monitor_rollups_hourly") == 1
    assert ping_buffer.size() == 0


def test_an_entry_that_cannot_be_read_holds_up_no_other(
    client: FlaskClient, connection: Db, disk: "redis.Redis"
) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    disk.xadd(ping_buffer.STREAM, {"ping": '{"id": "nonsense"}'})
    disk.xadd(ping_buffer.STREAM, {"other": "x"})
    fold()
    assert ping_buffer.size() == 0


def test_an_older_ping_that_is_folded_in_late_moves_nothing_back(client: FlaskClient, connection: Db) -> None:
    import hashlib
    from uuid import uuid4

    from models.connections.database import transaction
    from models.queries import pings

    a_monitor(type="heartbeat", token=TOKEN)
    client.get(URL)
    before = connection.execute("SELECT next_run_at, last_ping_at, last_check_at FROM monitor_states").fetchone()
    old = Ping(
        uuid4(),
        hashlib.sha256(TOKEN.encode()).digest(),
        datetime.now(UTC) - timedelta(minutes=5),
        Kind.SUCCESS,
        {"ip": None},
    )
    with transaction() as db:
        assert pings.record(db, old) is not None
    assert (
        connection.execute("SELECT next_run_at, last_ping_at, last_check_at FROM monitor_states").fetchone() == before
    )
    assert kinds(connection) == ["success", "success"]
