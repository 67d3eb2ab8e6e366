"""Unanswered rounds, counted per location and minute."""

import time
from collections.abc import Iterator

import pytest
import redis

from actors.verdicts import unanswered_rounds


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client
        client.flushall()


def test_each_location_is_counted_separately(client: redis.Redis) -> None:
    unanswered_rounds.record(client, [])
    assert client.keys() == []
    unanswered_rounds.record(client, ["moon", "us-east", "moon"])
    unanswered_rounds.record(client, ["moon"])
    assert unanswered_rounds.recent(client) == {"moon": 3, "us-east": 1}


def test_old_counts_are_deleted(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    for minutes in (75, 20, 2):
        monkeypatch.setattr(unanswered_rounds.time, "time", lambda minutes=minutes: now - 60 * minutes)
        unanswered_rounds.record(client, ["moon"])
    monkeypatch.setattr(unanswered_rounds.time, "time", lambda: now)
    assert unanswered_rounds.recent(client, 10) == {"moon": 1}
    assert unanswered_rounds.recent(client) == {"moon": 2}
    assert client.hlen("supercheck:unanswered") == 2


def test_only_the_count_is_lost_if_redis_is_down() -> None:
    with redis.Redis(port=1) as unreachable:
        unanswered_rounds.record(unreachable, ["moon"])
