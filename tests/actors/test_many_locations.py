"""A worker of more locations than a pool of connections would hold, on a real Valkey."""

import threading
import time
from collections.abc import Iterator

import dramatiq
import pytest
from dramatiq import Message

from actors import queues, worker
from actors.broker import Broker, connect
from actors.runtime import process_registry
from actors.runtime.consumer import IDLE_SECONDS
from actors.runtime.process_registry import ProcessRegistry
from tests.conftest import SettingsOf
from tests.waiting import until

CODES = [f"place-{number}" for number in range(120)]


class Running:
    """A worker of `CODES`, in this process."""

    def __init__(self, broker: Broker, first: list[str]) -> None:
        self.broker = broker
        self.taken: dict[str, float] = {}
        broker.declare_queue(queues.execution(first[0]))
        dramatiq.actor(self._take, actor_name="check", broker=broker, queue_name=queues.execution(first[0]))
        for code in first[1:]:
            broker.declare_queue(queues.execution(code))
        self.worker = dramatiq.Worker(
            broker, queues={queues.execution(code) for code in first}, worker_threads=4, worker_timeout=100
        )
        self.worker.start()

    def _take(self, code: str) -> None:
        self.taken[code] = time.monotonic()

    def send(self, code: str) -> None:
        name = queues.execution(code)
        self.broker.enqueue(Message(queue_name=name, actor_name="check", args=(code,), kwargs={}, options={}))

    def stop(self) -> None:
        self.broker.stop_taking()
        self.worker.stop()


@pytest.fixture
def broker(redis_url: str) -> Iterator[Broker]:
    made = Broker(connect(redis_url))
    yield made
    made.client.flushall()
    made.client.close()


def test_a_worker_of_many_locations_takes_the_checks_of_each_at_once(broker: Broker) -> None:
    # Given an idle worker of 120 locations
    before = len(broker.client.client_list())
    running = Running(broker, CODES)
    try:
        until(lambda: len(broker.wake_listener._watched) == 2 * len(CODES), what="all consumers are idle")
        # When each location gets a message
        sent = time.monotonic()
        for code in CODES:
            running.send(code)
        # Then all are taken, without an idle wait that ends by itself, over a few connections
        until(lambda: len(running.taken) == len(CODES))
        assert max(running.taken.values()) - sent < IDLE_SECONDS / 2
        assert len(broker.client.client_list()) - before < 40
    finally:
        running.stop()


def test_a_worker_that_learns_of_many_locations_stays_registered_in_all(
    broker: Broker, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_of(worker_location="")
    monkeypatch.setattr(worker, "broker", broker)
    running = Running(broker, ["us-east", "eu-central", "asia-pacific"])
    one = ProcessRegistry(broker, "check_worker", lambda code: worker.serve(running.worker, code))
    try:
        process_registry.announce_locations(broker.client, ["us-east", *CODES])
        one.start()
        until(lambda: len(process_registry.workers_online(broker.client)) == len(CODES) + 3)
        for code in CODES:
            running.send(code)
        until(lambda: running.taken.keys() >= set(CODES))
        # When they are removed, the first ones are checked as before
        process_registry.announce_locations(broker.client, ["us-east"])
        running.send("us-east")
        until(lambda: "us-east" in running.taken)
        assert process_registry.workers_online(broker.client)["us-east"] == 1
    finally:
        one.stop()
        running.stop()


def test_a_full_process_leaves_a_message_to_another_one(redis_url: str) -> None:
    # Given a process that is busy, and another one that is idle
    first, second = Broker(connect(redis_url)), Broker(connect(redis_url))
    second.namespace = first.namespace = "test-full"
    busy = first.consume("errands", 1)
    message = Message(queue_name="errands", actor_name="errand", args=(), kwargs={}, options={})
    first.enqueue(message)
    assert next(busy) is not None
    first.client.delete(busy.wake)
    first.wake_listener.watch(busy)
    until(lambda: busy.wake in first.wake_listener._watched)
    idle = second.consume("errands", 1)
    got: list[object] = []
    # A turn that waited ends with None; the next one fetches.
    thread = threading.Thread(target=lambda: got.extend(filter(None, (next(idle), next(idle)))), daemon=True)
    thread.start()
    until(lambda: idle.wake in second.wake_listener._watched)
    # When there is one message more
    began = time.monotonic()
    first.enqueue(message)
    # Then the idle one has it at once, whichever process was rung
    thread.join(IDLE_SECONDS)
    assert len(got) == 1
    assert time.monotonic() - began < IDLE_SECONDS / 2
    for one in (first, second):
        one.stop_taking()
        one.client.flushall()
        one.client.close()


def test_a_process_that_cannot_renew_its_registration_says_so(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a process whose connections are all taken, for good
    monkeypatch.setattr(process_registry, "RESTART_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(process_registry, "INTERVAL_SECONDS", 0.05)
    pool = broker.client.connection_pool
    monkeypatch.setattr(pool, "timeout", 0.05)
    lost = threading.Event()
    one = ProcessRegistry(broker, "worker", None, lost.set)
    one._renew()
    held = [pool.get_connection() for _ in range(pool.max_connections)]
    # When it renews its keys
    one.start()
    # Then it is asked to start again
    assert lost.wait(10)
    for connection in held:
        pool.release(connection)
    one.stop()


def test_a_process_whose_broker_is_away_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_registry, "RESTART_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(process_registry, "INTERVAL_SECONDS", 0.05)
    away = Broker(connect("redis://127.0.0.1:1"))
    lost = threading.Event()
    tries: list[int] = []
    one = ProcessRegistry(away, "worker", None, lost.set)
    answers = one._broker_responds
    monkeypatch.setattr(one, "_broker_responds", lambda: tries.append(1) or answers())
    one.start()
    until(lambda: len(tries) >= 3)
    assert not lost.is_set()
    one.stop()
    away.client.close()


def test_an_error_of_its_own_ends_no_registration_unseen(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = threading.Event()
    one = ProcessRegistry(broker, "worker", None, lost.set)
    monkeypatch.setattr(one, "_renew", lambda: 1 / 0)
    one.start()
    assert lost.wait(10)
    one.stop()
