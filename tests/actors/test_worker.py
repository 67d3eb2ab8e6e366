"""A running worker that takes up one more location."""

import dramatiq
import pytest
from dramatiq import Message

from actors import queues, worker
from actors.broker import Broker, connect
from tests.waiting import until


def test_a_running_worker_takes_the_checks_of_a_location_added_later(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker that serves one location and passes over every other queue
    broker = Broker(connect(redis_url))
    monkeypatch.setattr(worker, "broker", broker)
    taken: list[str] = []
    dramatiq.actor(taken.append, actor_name="check", broker=broker, queue_name=queues.execution("us-east"))
    running = dramatiq.Worker(broker, queues={queues.execution("us-east")}, worker_threads=1, worker_timeout=100)
    running.start()
    try:
        broker.declare_queue(queues.execution("mars"))

        def send(code: str) -> None:
            broker.enqueue(
                Message(queue_name=queues.execution(code), actor_name="check", args=(code,), kwargs={}, options={})
            )

        # When another location is served as well
        worker.serve(running, "moon")
        for code in ("mars", "moon", "us-east"):
            send(code)

        # Then its checks are taken beside those of the first
        until(lambda: sorted(taken) == ["moon", "us-east"], what="both are taken")
        assert broker.do_qsize(queues.execution("mars")) == 1
    finally:
        broker.stop_taking()
        running.stop()
        broker.client.flushall()
        broker.client.close()
