"""Rounds that locations left unanswered, counted by the minute."""

import time
from collections.abc import Iterator

import pytest
import redis

from actors import minute_counts, silence


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as made:
        yield made
        made.flushall()


def test_each_location_is_counted_by_itself(client: redis.Redis) -> None:
    silence.note(client, [])
    assert client.keys() == []
    silence.note(client, ["moon", "us-east", "moon"])
    silence.note(client, ["moon"])
    assert silence.lately(client) == {"moon": 3, "us-east": 1}


def test_what_is_old_is_forgotten(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    for minutes in (75, 20, 2):
        monkeypatch.setattr(minute_counts.time, "time", lambda minutes=minutes: now - 60 * minutes)
        silence.note(client, ["moon"])
    monkeypatch.setattr(minute_counts.time, "time", lambda: now)
    assert silence.lately(client, 10) == {"moon": 1}
    assert silence.lately(client) == {"moon": 2}
    assert client.hlen("supercheck:unanswered") == 2


def test_a_broker_that_is_away_costs_the_figure_and_nothing_else() -> None:
    with redis.Redis(port=1) as nobody:
        silence.note(nobody, ["moon"])
