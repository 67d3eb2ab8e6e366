"""The waiting consumer and the held messages, on a real Valkey."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from dramatiq import Message
from dramatiq.errors import ConnectionClosed

from actors.broker import Broker, connect
from actors.runtime.consumer import IDLE_SECONDS, MAX_FETCH, WaitingConsumer, wake_key
from tests.waiting import until

QUEUE = "errands"
#: "At once" beside the time that an idle consumer would wait by itself.
AT_ONCE = IDLE_SECONDS / 5


@pytest.fixture
def processes(redis_url: str) -> Iterator[Callable[[], Broker]]:
    """Call it for another process's broker; all of them share a namespace of their own."""
    made: list[Broker] = []
    namespace = f"test-{uuid4().hex}"

    def another() -> Broker:
        broker = Broker(connect(redis_url))
        broker.namespace = namespace
        made.append(broker)
        return broker

    yield another
    client = connect(redis_url)
    for broker in made:
        broker.wake_listener.stop()
    if keys := list(client.scan_iter(f"{namespace}:*")):
        client.delete(*keys)
    client.close()
    for broker in made:
        broker.client.close()


def an_errand(**values: Any) -> Message[Any]:
    return Message(queue_name=QUEUE, actor_name="errand", args=(), kwargs=values, options={})


def consumer_of(broker: Broker, prefetch: int = 10) -> WaitingConsumer:
    made = broker.consume(QUEUE, prefetch)
    assert isinstance(made, WaitingConsumer)
    return made


def blocked(broker: Broker) -> int:
    """How many clients of this namespace's server wait in a blocking call."""
    return sum(one["cmd"].lower() == "blpop" and "b" in one["flags"] for one in broker.client.client_list())


class Idle:
    """A consumer that waits in a thread of its own and keeps what it gets, with the time it came."""

    def __init__(self, broker: Broker, turns: int = 1, prefetch: int = 10) -> None:
        self.broker, self.consumer = broker, consumer_of(broker, prefetch)
        self.got: list[Any] = []
        self.arrivals: list[float] = []
        self._turns = turns
        before = blocked(broker)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        until(lambda: blocked(broker) > before, what="an idle wait")

    def _run(self) -> None:
        # An idle wait ends with None; then the next one begins.
        while len(self.got) < self._turns and not self.consumer._stopped:
            message = next(self.consumer)
            if message is not None:
                self.got.append(message)
                self.arrivals.append(time.monotonic())


def unacknowledged(broker: Broker) -> int:
    return int(broker.client.hlen(f"{broker.namespace}:{QUEUE}.msgs"))


def test_a_message_reaches_an_idle_consumer_at_once(processes: Callable[[], Broker]) -> None:
    idle, sender = Idle(processes(), turns=5), processes()
    waits = []
    for number in range(5):
        sent = time.monotonic()
        sender.enqueue(an_errand(number=number))
        until(lambda wanted=number + 1: len(idle.got) == wanted)  # type: ignore[misc]
        waits.append(idle.arrivals[number] - sent)
    assert sorted(waits)[2] < IDLE_SECONDS / 50
    assert max(waits) < AT_ONCE


def test_a_message_sent_in_a_pipeline_wakes_a_consumer_as_well(processes: Callable[[], Broker]) -> None:
    idle, sender = Idle(processes()), processes()
    sent = time.monotonic()
    sender.enqueue_many([an_errand()])
    until(lambda: idle.got)
    assert idle.arrivals[0] - sent < AT_ONCE


def test_wake_tokens_never_pile_up(processes: Callable[[], Broker]) -> None:
    broker = processes()
    for _ in range(20):
        broker.enqueue(an_errand())
    broker.enqueue_many([an_errand() for _ in range(20)])
    broker.wake(QUEUE)
    assert broker.client.llen(wake_key(broker.namespace, QUEUE)) == 1
    assert broker.client.llen(f"{broker.namespace}:{QUEUE}") == 40


def test_stopping_ends_the_wait_at_once_and_takes_no_more(processes: Callable[[], Broker]) -> None:
    idle, sender = Idle(processes()), processes()
    began = time.monotonic()
    idle.broker.stop_taking()
    idle.thread.join(IDLE_SECONDS)
    assert time.monotonic() - began < AT_ONCE
    sender.enqueue(an_errand())
    assert next(idle.consumer) is None
    assert sender.client.llen(f"{sender.namespace}:{QUEUE}") == 1


def test_two_idle_consumers_share_a_burst(processes: Callable[[], Broker]) -> None:
    # Given two processes, each with room for five
    both = [Idle(processes(), turns=5, prefetch=5) for _ in range(2)]
    # When ten messages come at once
    began = time.monotonic()
    processes().enqueue_many([an_errand(number=number) for number in range(10)])
    # Then each takes its five, and no message waits for an idle wait to end
    until(lambda: all(len(one.got) == 5 for one in both))
    assert max(one.arrivals[-1] for one in both) - began < AT_ONCE
    assert sorted(message.kwargs["number"] for one in both for message in one.got) == list(range(10))


def test_a_full_consumer_takes_the_next_message_when_one_is_done(processes: Callable[[], Broker]) -> None:
    broker = processes()
    broker.enqueue_many([an_errand(number=1), an_errand(number=2)])
    consumer = consumer_of(broker, prefetch=1)
    first = next(consumer)
    assert first is not None
    assert next(consumer) is None
    consumer.ack(first)
    second = next(consumer)
    assert second is not None
    assert (first.kwargs["number"], second.kwargs["number"]) == (1, 2)


def held(broker: Broker, consumer: WaitingConsumer) -> tuple[Any, Callable[[], None]]:
    """A message whose actor has returned while it is held, and what releases it."""
    broker.enqueue(an_errand())
    message = next(consumer)
    assert message is not None
    broker.emit_before("process_message", message)
    release = broker.hold()
    broker.emit_after("process_message", message, result=None)
    consumer.ack(message)
    return message, release


def test_no_process_takes_a_whole_backlog_in_one_go(processes: Callable[[], Broker]) -> None:
    broker = processes()
    broker.enqueue_many(an_errand() for _ in range(MAX_FETCH + 50))
    first, second = consumer_of(broker, prefetch=4096), consumer_of(processes(), prefetch=4096)
    assert next(first) is not None
    assert next(second) is not None
    assert (first.outstanding_message_count, second.outstanding_message_count) == (MAX_FETCH, 50)


def test_a_held_message_is_acknowledged_when_it_is_released_and_not_before(processes: Callable[[], Broker]) -> None:
    broker = processes()
    consumer = consumer_of(broker)
    _, release = held(broker, consumer)
    assert unacknowledged(broker) == 1
    assert consumer.outstanding_message_count == 1
    release()
    assert unacknowledged(broker) == 0
    assert consumer.outstanding_message_count == 0
    release()
    assert broker.held == {}


def test_what_is_still_held_goes_to_another_process_at_once_when_this_one_stops(
    processes: Callable[[], Broker],
) -> None:
    broker = processes()
    message, _ = held(broker, consumer_of(broker))
    other = Idle(processes())
    began = time.monotonic()
    broker.requeue_held()
    until(lambda: other.got)
    assert other.arrivals[0] - began < AT_ONCE
    assert other.got[0].message_id == message.message_id
    assert broker.held == {}


def test_holding_outside_of_a_message_is_harmless(processes: Callable[[], Broker]) -> None:
    broker = processes()
    broker.hold()()
    assert broker.held == {}


def test_an_error_after_the_fetch_loses_nothing_that_was_fetched(
    processes: Callable[[], Broker], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a broker that goes away between the fetch and the waking of others
    broker = processes()
    broker.enqueue_many([an_errand(), an_errand()])
    consumer = consumer_of(broker, prefetch=2)

    def away(*args: Any, **values: Any) -> Any:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(redis.client.Pipeline, "execute", away)
    # Then both messages are handed out all the same
    assert next(consumer) is not None
    assert next(consumer) is not None


def test_every_process_consumes_its_own_queues() -> None:
    from actors import queues

    roles = {role: queues.of_process(role, ["a", "b"]) for role in ("scheduler", "worker", "check_worker")}
    assert roles["check_worker"] == {"monitor-execution.a", "monitor-execution.b"}
    assert roles["scheduler"] | roles["worker"] == set(queues.CENTRAL)
    assert not roles["scheduler"] & roles["worker"]


def test_giving_messages_back_without_redis_is_the_error_that_dramatiq_expects(redis_url: str) -> None:
    broker = Broker(connect("redis://127.0.0.1:1"))
    consumer = consumer_of(broker)
    consumer.requeue([])
    with pytest.raises(ConnectionClosed):
        consumer.requeue([an_errand().copy(options={"redis_message_id": "x"})])
