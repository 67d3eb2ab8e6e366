"""Turns of a provider, counted in Redis across all workers."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import redis

from actors.alerts import rate_limit
from notifications import SENDERS

NOW = datetime.now(UTC)


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as made:
        yield made
        made.flushall()


def take(client: "redis.Redis", provider: UUID, asker: str, most: int | None = 3) -> float:
    """The seconds that `asker` has to wait."""
    turn = rate_limit.take(client, provider, "webhook", most, asker, NOW)
    return 0.0 if turn is None else (turn - NOW).total_seconds()


def test_what_is_too_much_for_a_minute_gets_later_turns_in_order(client: "redis.Redis") -> None:
    provider = uuid4()
    waits = [take(client, provider, str(number)) for number in range(9)]
    assert waits[:3] == [0, 0, 0]
    assert client.zrange(f"supercheck:turns:{provider}", 0, -1) == [b"%d" % number for number in range(9)]
    window = rate_limit.WINDOW_MS / 1000
    assert all(window - 30 < wait <= window for wait in waits[3:6])
    assert all(2 * window - 30 < wait <= 2 * window for wait in waits[6:])


def test_asking_again_is_not_another_turn(client: "redis.Redis") -> None:
    provider = uuid4()
    assert [take(client, provider, "same") for _ in range(5)] == [0] * 5
    assert [take(client, provider, other) for other in "bc"] == [0, 0]
    first, again = take(client, provider, "d"), take(client, provider, "d")
    assert first >= again > first - 30


def test_a_turn_comes_free_when_its_minute_is_over(client: "redis.Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.waiting import until

    monkeypatch.setattr(rate_limit, "WINDOW_MS", 300)
    provider = uuid4()
    assert [take(client, provider, asker) for asker in "abc"] == [0, 0, 0]
    assert 0 < take(client, provider, "d") <= 0.3
    until(lambda: take(client, provider, "d") == 0)


def test_each_provider_has_turns_of_its_own_and_a_type_its_usual_number(client: "redis.Redis") -> None:
    telegram = uuid4()
    turns = [rate_limit.take(client, telegram, "telegram", None, str(number), NOW) for number in range(21)]
    assert turns[:20] == [None] * 20
    assert turns[20] is not None
    assert turns[20] > NOW + timedelta(seconds=20)
    assert take(client, uuid4(), "other") == 0


def test_every_channel_has_its_number() -> None:
    assert rate_limit.PER_MINUTE.keys() == SENDERS.keys()


def test_askers_at_the_same_moment_share_no_turn(client: "redis.Redis") -> None:
    provider = uuid4()
    at_once: list[float] = []

    def ask(name: str) -> None:
        waits = [take(client, provider, f"{name}{number}", most=7) for number in range(10)]
        at_once.extend(wait for wait in waits if wait == 0)

    both = [threading.Thread(target=ask, args=[name]) for name in "abcd"]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(at_once) == 7
