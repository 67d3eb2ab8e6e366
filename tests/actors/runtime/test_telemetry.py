"""What is counted by any process is read as one."""

import json
from collections.abc import Iterator
from typing import cast

import pytest
import redis
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from redis.backoff import NoBackoff
from redis.retry import Retry

from actors.runtime import telemetry


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as made:
        telemetry.send(made)  # what earlier tests counted
        made.delete(telemetry.HASH)
        yield made
        made.delete(telemetry.HASH)


def read(client: "redis.Redis") -> dict[str, float]:
    """Sample -> value, through the text format and Prometheus' own parser."""
    stored = list(telemetry.stored(cast(dict[str, str], client.hgetall(telemetry.HASH))))

    class Collector:
        def collect(self) -> list[Metric]:
            return stored

    registry = CollectorRegistry()
    registry.register(Collector())
    text = generate_latest(registry).decode()
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_only_what_changed_is_sent(client: "redis.Redis") -> None:
    telemetry.HEARTBEAT_PINGS.inc()
    telemetry.send(client)
    assert client.hlen(telemetry.HASH) == 1
    client.delete(telemetry.HASH)
    telemetry.send(client)
    assert not client.exists(telemetry.HASH)


def test_processes_add_up(client: "redis.Redis") -> None:
    client.hincrbyfloat(telemetry.HASH, '["supercheck_heartbeat_pings_total",{}]', 40)
    telemetry.HEARTBEAT_PINGS.inc(2)
    telemetry.send(client)
    assert read(client)["supercheck_heartbeat_pings_total{}"] == 42


def test_a_failed_sending_loses_nothing(client: "redis.Redis") -> None:
    telemetry.HEARTBEAT_PINGS.inc(3)
    with pytest.raises(redis.ConnectionError):
        telemetry.send(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)))
    telemetry.send(client)
    assert read(client)["supercheck_heartbeat_pings_total{}"] == 3


def test_a_check_is_counted_and_timed_by_its_labels(client: "redis.Redis") -> None:
    telemetry.check("http_request", "us-east", "up", 30)
    telemetry.check("http_request", "us-east", "up", 700)
    telemetry.check("port_check", "eu-central", "error", None)
    telemetry.send(client)
    found = read(client)
    labels = '{"location": "us-east", "type": "http_request"}'
    assert found['supercheck_checks_total{"location": "us-east", "status": "up", "type": "http_request"}'] == 2
    assert found['supercheck_checks_total{"location": "eu-central", "status": "error", "type": "port_check"}'] == 1
    assert found["supercheck_check_duration_seconds_count" + labels] == 2
    assert found["supercheck_check_duration_seconds_sum" + labels] == pytest.approx(0.73)
    assert not any("port_check" in name for name in found if "duration" in name)


def test_every_bucket_is_there_and_they_are_cumulative(client: "redis.Redis") -> None:
    for seconds in (-1.0, 0.02, 0.02, 4, 10_000):
        telemetry.lag(seconds)
    telemetry.send(client)
    prefix = 'supercheck_schedule_lag_seconds_bucket{"le": "'
    buckets = {name[len(prefix) : -2]: value for name, value in read(client).items() if name.startswith(prefix)}
    assert list(buckets)[-1] == "+Inf"
    assert len(buckets) == 14
    assert (buckets["0.01"], buckets["0.025"], buckets["2.5"], buckets["5.0"], buckets["+Inf"]) == (1, 3, 3, 4, 5)


def test_what_nobody_counted_is_zero_or_absent_and_still_declared(client: "redis.Redis") -> None:
    found = read(client)
    assert found["supercheck_blocked_targets_total{}"] == 0
    assert found["supercheck_schedule_lag_seconds_count{}"] == 0
    assert not any(name.startswith("supercheck_checks_total") for name in found)
    assert {family.name for family in telemetry.stored({})} == {
        "supercheck_checks",
        "supercheck_check_duration_seconds",
        "supercheck_schedule_lag_seconds",
        "supercheck_rounds_incomplete",
        "supercheck_heartbeat_pings",
        "supercheck_heartbeat_bodies_omitted",
        "supercheck_deliveries",
        "supercheck_credential_uses",
        "supercheck_blocked_targets",
        "supercheck_standstill_seconds",
    }


def test_fields_of_another_version_are_passed_over(client: "redis.Redis") -> None:
    client.hset(telemetry.HASH, '["supercheck_of_tomorrow_total",{"kind":"x"}]', 5)
    assert not any("tomorrow" in name for name in read(client))


def test_the_thread_sends_what_is_left_when_it_stops(client: "redis.Redis") -> None:
    telemetry.start("web")
    telemetry.start("web")
    telemetry.HEARTBEAT_PINGS.inc()
    telemetry.stop()
    assert read(client)["supercheck_heartbeat_pings_total{}"] == 1
