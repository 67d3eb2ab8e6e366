"""What waits in the queues and what they gave up on, read from Dramatiq's own keys."""

import dramatiq
import pytest
import redis
from dramatiq import Message

from actors import queues
from actors.broker import Broker, connect
from actors.runtime import process_registry
from tests.waiting import until
from web.live import queue_stats

MESSAGE = Message(queue_name=queues.ALERTS, actor_name="alert", args=(["secret"],), kwargs={}, options={})


@pytest.fixture
def client(redis_url: str) -> "redis.Redis":
    made = redis.Redis.from_url(redis_url, decode_responses=True)
    made.flushall()
    return made


@pytest.fixture
def broker(redis_url: str) -> Broker:
    return Broker(connect(redis_url))


def of(client: "redis.Redis", queue: str) -> dict[str, object]:
    return next(one for one in queue_stats.measure(client) if one["queue"] == queue)


def test_a_queues_lag_is_the_age_of_its_oldest_message(client: "redis.Redis", broker: Broker) -> None:
    now = dramatiq.common.current_millis()
    for age in (90_000, 5_000):
        broker.enqueue(MESSAGE.copy(message_timestamp=now - age))
    found = of(client, queues.ALERTS)
    assert found["depth"] == 2
    assert 90 <= float(str(found["lagSeconds"])) < 150
    assert of(client, queues.DELIVERIES)["lagSeconds"] == 0.0


def test_a_location_that_was_added_has_its_queue_there(client: "redis.Redis") -> None:
    process_registry.announce_locations(client, ["moon"])
    client.set("supercheck:worker:moon:one", 1)
    assert of(client, "monitor-execution.moon")["consumers"] == 1


def test_what_an_actor_gave_up_on_is_listed_without_what_it_held(client: "redis.Redis", broker: Broker) -> None:
    @dramatiq.actor(actor_name="alert", broker=broker, queue_name=queues.ALERTS, throws=ValueError)
    def fail(_ids: list[str]) -> None:
        raise ValueError("cannot")

    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    try:
        sent = [broker.enqueue(MESSAGE.copy(message_id=f"number-{number}")) for number in range(3)]
        until(lambda: of(client, queues.ALERTS)["dead"] == 3, what="the dead letters")
    finally:
        broker.stop_taking()
        worker.stop()
    found = queue_stats.dead_messages(client, 10)
    assert {one.id for one in found} == {one.message_id for one in sent}
    assert {(one.queue, one.actor) for one in found} == {(queues.ALERTS, "alert")}
    assert [one.died_at for one in found] == sorted((one.died_at for one in found), reverse=True)
    assert len(queue_stats.dead_messages(client, 2)) == 2
    assert "secret" not in str(found)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"message_timestamp": "soon"}'])
def test_a_message_that_cannot_be_read_is_listed_all_the_same(client: "redis.Redis", text: str) -> None:
    client.zadd("dramatiq:alerts.XQ", {"key": 1_700_000_000_000})
    client.hset("dramatiq:alerts.XQ.msgs", "key", text)
    (found,) = queue_stats.dead_messages(client, 10)
    assert (found.id, found.actor, found.enqueued_at) == ("key", "unknown", None)
