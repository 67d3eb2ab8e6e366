"""The delivery rate limiter, which counts in Redis across all workers."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import redis

from actors.alerts import rate_limit
from channels import CHANNELS

NOW = datetime.now(UTC)


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as made:
        yield made
        made.flushall()


def reserve(client: "redis.Redis", provider: UUID, request_id: str, limit: int | None = 3) -> float:
    """Return the seconds that the request has to wait."""
    send_at = rate_limit.reserve(client, provider, "webhook", limit, request_id, NOW)
    return 0.0 if send_at is None else (send_at - NOW).total_seconds()


def test_messages_above_the_limit_get_later_send_times_in_order(client: "redis.Redis") -> None:
    provider = uuid4()
    waits = [reserve(client, provider, str(number)) for number in range(9)]
    assert waits[:3] == [0, 0, 0]
    assert client.zrange(f"supercheck:send-times:{provider}", 0, -1) == [b"%d" % number for number in range(9)]
    window = rate_limit.WINDOW_MS / 1000
    assert all(window - 30 < wait <= window for wait in waits[3:6])
    assert all(2 * window - 30 < wait <= 2 * window for wait in waits[6:])


def test_a_repeated_request_reserves_nothing_more(client: "redis.Redis") -> None:
    provider = uuid4()
    assert [reserve(client, provider, "same") for _ in range(5)] == [0] * 5
    assert [reserve(client, provider, other) for other in "bc"] == [0, 0]
    first, again = reserve(client, provider, "d"), reserve(client, provider, "d")
    assert first >= again > first - 30


def test_capacity_returns_when_the_minute_is_over(client: "redis.Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.waiting import until

    monkeypatch.setattr(rate_limit, "WINDOW_MS", 300)
    provider = uuid4()
    assert [reserve(client, provider, request_id) for request_id in "abc"] == [0, 0, 0]
    assert 0 < reserve(client, provider, "d") <= 0.3
    until(lambda: reserve(client, provider, "d") == 0)


def test_each_provider_has_its_own_limit_and_a_type_its_default(client: "redis.Redis") -> None:
    telegram = uuid4()
    times = [rate_limit.reserve(client, telegram, "telegram", None, str(number), NOW) for number in range(21)]
    assert times[:20] == [None] * 20
    assert times[20] is not None
    assert times[20] > NOW + timedelta(seconds=20)
    assert reserve(client, uuid4(), "other") == 0


def test_every_channel_has_a_default_limit() -> None:
    assert all(channel.messages_per_minute > 0 for channel in CHANNELS.values())


def test_requests_at_the_same_moment_get_different_send_times(client: "redis.Redis") -> None:
    provider = uuid4()
    at_once: list[float] = []

    def ask(name: str) -> None:
        waits = [reserve(client, provider, f"{name}{number}", limit=7) for number in range(10)]
        at_once.extend(wait for wait in waits if wait == 0)

    both = [threading.Thread(target=ask, args=[name]) for name in "abcd"]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(at_once) == 7
