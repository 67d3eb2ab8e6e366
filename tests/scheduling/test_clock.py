"""The clock."""

import pytest
import redis

from actors import queues
from actors.broker import broker
from scheduling import clock, tick
from scheduling.periodic import PeriodicWork
from tests import messages


@pytest.mark.usefixtures("database_url")
def test_periodic_work_does_not_pile_up_while_no_worker_processes_it() -> None:
    run = clock._job(PeriodicWork("tick", tick.tick.send, tick.INTERVAL))
    for _ in range(clock.MAX_QUEUED + 5):
        run()
    assert len(messages.waiting(queues.SCHEDULER)) == clock.MAX_QUEUED
    broker.flush(queues.SCHEDULER)
    run()
    assert len(messages.waiting(queues.SCHEDULER)) == 1


def test_the_clock_survives_redis_errors() -> None:
    def send() -> None:
        raise redis.ConnectionError("away")

    clock._job(PeriodicWork("any", send, tick.INTERVAL))()


@pytest.mark.usefixtures("database_url")
def test_work_that_rests_is_not_sent() -> None:
    resting = True
    run = clock._job(PeriodicWork("tick", tick.tick.send, tick.INTERVAL, lambda: resting))
    run()
    assert messages.waiting(queues.SCHEDULER) == []
    resting = False
    run()
    assert len(messages.waiting(queues.SCHEDULER)) == 1
