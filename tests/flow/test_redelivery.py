"""Every message of the pipeline is delivered twice at once, and once more when all is over: nothing happens that did not happen before."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from dramatiq import Message
from flask import Flask
from werkzeug.test import Client

from tests import outside, rows
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("road")

Db = psycopg.Connection[Any]
TOKEN = "0123456789abcdefghij"
#: Everything that the pipeline writes.
TABLES = (
    "monitor_states",
    "monitor_results",
    "monitor_rollups_hourly",
    "heartbeat_pings",
    "alerts",
    "deliveries",
    "incidents",
    "notification_providers",
    "operator_warnings",
)
EVERY_ACTOR = {"tick", "check", "aggregate", "heartbeat_ping", "alert", "deliver", "sweep"}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Message[Any]]:
    """Every message from now on, each of which is sent twice."""
    from actors.broker import broker

    once = broker.enqueue_many
    kept: list[Message[Any]] = []

    def twice(messages: Iterable[Message[Any]]) -> None:
        given = list(messages)
        kept.extend(given)
        once(given)
        once(given)

    monkeypatch.setattr(broker, "enqueue_many", twice)
    return kept


@pytest.fixture
def ping() -> Iterator[Callable[[str], None]]:
    """Call it with a suffix: the job pings."""
    from models.connections import ping_pool
    from web.pings.routes import PREFIX, HeartbeatRoutes

    client = Client(HeartbeatRoutes(Flask(__name__).wsgi_app))

    def call(suffix: str) -> None:
        with client.get(f"{PREFIX}{TOKEN}{suffix}") as answer:
            assert answer.status_code == 200

    yield call
    ping_pool.close()


def everything(db: Db) -> dict[str, list[str]]:
    """All rows of the pipeline, as text."""
    return {
        table: [str(row[0]) for row in db.execute(f"SELECT t::text FROM {table} t ORDER BY 1").fetchall()]
        for table in TABLES
    }


def drained() -> bool:
    """Whether no message waits, and none is being worked on."""
    from actors.broker import broker

    return not any(broker.do_qsize(queue) for queue in broker.get_declared_queues())


def check_now(db: Db, monitor: UUID) -> None:
    from scheduling import tick

    db.execute("UPDATE monitor_states SET next_run_at = %s WHERE monitor_id = %s", [datetime.now(UTC), monitor])
    tick.tick.send()


def statuses(db: Db, alerts: int) -> bool:
    """So many alerts are there and all of them were sent."""
    found = db.execute("SELECT count(*), count(*) FILTER (WHERE status = 'sent') FROM alerts").fetchone()
    return found == (alerts, alerts)


def test_every_message_delivered_three_times_is_the_same_as_once(
    connection: Db,
    target: outside.Target,
    hook: outside.Hook,
    sent: list[Message[Any]],
    ping: Callable[[str], None],
) -> None:
    from actors.broker import broker
    from scheduling import sweep

    # Given a monitor, a heartbeat, a round that was answered while no process listened, and an alert that is not planned yet
    project = rows.a_project(connection)
    hour = datetime.now(UTC) + timedelta(hours=1)
    shop = rows.a_monitor(connection, project, target.url, due=hour, interval=3600, state={"status": "up"})
    token = hashlib.sha256(TOKEN.encode()).digest()
    job = rows.a_monitor(connection, project, "", type="heartbeat", due=hour, heartbeat_token_hash=token)
    lost = rows.a_monitor(connection, project, target.url, due=hour, interval=3600, state={"status": "up"})
    for one in (shop, job, lost):
        rows.a_provider(connection, project, hook.url, one)
    ago = datetime.now(UTC) - timedelta(seconds=30)
    rows.an_open_round(connection, lost, ago)
    rows.a_result(connection, lost, ago, "down")
    rows.an_alert(connection, project, lost, failure_sequence=None, alert_number=None, created_at=ago)

    # When each of them fails, and two recover, while every message comes twice
    target.status = 500
    check_now(connection, shop)
    ping("/fail")
    sweep.sweep.send()
    until(lambda: statuses(connection, 4), what="four failures sent")
    target.status = 200
    check_now(connection, shop)
    ping("")
    until(lambda: statuses(connection, 6), what="two recoveries sent")
    until(drained, what="all messages worked off")

    # Then every actor had its part, and each alert was sent once
    assert {message.actor_name for message in sent} == EVERY_ACTOR
    assert sorted(hook.events()) == ["monitor.down"] * 4 + ["monitor.up"] * 2
    before = everything(connection)
    assert len(before["monitor_results"]) == 5

    # And when all of them come once more, nothing changes and no webhook is called
    broker.enqueue_many(list(sent))
    until(drained, what="all messages worked off again")
    assert everything(connection) == before
    assert len(hook.received) == 6
