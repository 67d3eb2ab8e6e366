"""The metrics route: who may read it, and what is measured at that moment."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import redis
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from actors.runtime import telemetry
from tests import rows
from tests.conftest import SettingsOf
from tests.web.serving import an_app


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    with an_app() as made:
        yield made


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as made:
        yield made


def scraped(app: Flask) -> dict[tuple[str, str], float]:
    """(sample, values of its labels) -> value."""
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_queues_are_measured_when_asked(app: Flask, client: "redis.Redis") -> None:
    client.lpush("dramatiq:alerts", "a", "b")
    client.zadd("dramatiq:alerts.XQ", {"dead": 1})
    found = scraped(app)
    assert found["supercheck_queue_depth", "alerts"] == 2
    assert found["supercheck_dead_letters", "alerts"] == 1
    assert found["supercheck_queue_depth", "monitor-execution.eu-central"] == 0


def test_workers_are_counted_by_location(app: Flask, client: "redis.Redis") -> None:
    for name in ("a", "b"):
        client.set(f"supercheck:worker:us-east:{name}", 1)
    found = scraped(app)
    assert found["supercheck_workers_online", "us-east"] == 2
    assert found["supercheck_workers_online", "asia-pacific"] == 0


def test_processes_that_find_a_server_away_are_counted(app: Flask, client: "redis.Redis") -> None:
    for name, away in (("a", ["database"]), ("b", ["database", "broker"]), ("c", [])):
        client.set(f"supercheck:process:worker:{name}", json.dumps({"keys": [], "away": away}))
    found = scraped(app)
    assert found["supercheck_breaker_open", "database"] == 2
    assert found["supercheck_breaker_open", "broker"] == 1


def test_what_this_process_counted_is_there_at_once(app: Flask) -> None:
    before = scraped(app)["supercheck_heartbeat_pings_total", ""]
    telemetry.HEARTBEAT_PINGS.inc()
    assert scraped(app)["supercheck_heartbeat_pings_total", ""] == before + 1


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1"])
def test_without_a_token_this_machine_may_read(app: Flask, address: str) -> None:
    assert app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == 200


@pytest.mark.parametrize("address", ["10.0.0.1", "203.0.113.7", "::ffff:203.0.113.7", "", "nonsense"])
def test_without_a_token_nobody_else_may(app: Flask, address: str) -> None:
    answer = app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 403
    assert "supercheck_" not in answer.text


@pytest.mark.parametrize(
    "header",
    [
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "x-forwarded-anything",
        "X-Real-IP",
        "Via",
    ],
)
def test_without_a_token_nobody_may_through_a_proxy(app: Flask, header: str) -> None:
    assert app.test_client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_a_forged_header_does_not_make_a_stranger_local(database_url: str, settings_of: SettingsOf) -> None:
    with an_app(settings_of(trusted_proxies=1)) as app:
        answer = app.test_client().get(
            "/metrics", headers={"X-Forwarded-For": "127.0.0.1"}, environ_base={"REMOTE_ADDR": "203.0.113.7"}
        )
    assert answer.status_code == 403


def test_with_a_token_only_the_token_counts(database_url: str, settings_of: SettingsOf) -> None:
    with an_app(settings_of(metrics_token="a token of the operator's")) as app:
        client = app.test_client()
        for wrong in (None, "Bearer", "Bearer wrong", "Basic a token of the operator's", "Bearer é"):
            answer = client.get("/metrics", headers={"Authorization": wrong} if wrong else {})
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        answer = client.get(
            "/metrics",
            headers={"Authorization": "Bearer a token of the operator's", "X-Forwarded-For": "203.0.113.7"},
            environ_base={"REMOTE_ADDR": "10.0.0.1"},
        )
        assert answer.status_code == 200


def test_each_channel_in_use_tells_whether_it_is_well(app: Flask, connection: psycopg.Connection[Any]) -> None:
    project = rows.a_project(connection)
    now = datetime.now(UTC)
    well, unused, failing, broken = (
        rows.a_provider(connection, project, "http://127.0.0.1:9/", **columns)
        for columns in (
            {"last_success_at": now},
            {},
            {"last_success_at": now - timedelta(hours=1), "last_error_at": now},
            {"broken": True},
        )
    )
    off = rows.a_provider(connection, project, "http://127.0.0.1:9/", broken=True, enabled=False)
    found = scraped(app)
    for provider, value in ((well, 1), (unused, 1), (failing, 0), (broken, 0)):
        assert found["supercheck_provider_healthy", f"{provider},webhook"] == value
    assert ("supercheck_provider_healthy", f"{off},webhook") not in found
