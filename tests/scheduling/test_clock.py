"""The clock's turns."""

import pytest
import redis

from actors import queues
from actors.broker import broker
from scheduling import clock, tick
from scheduling.periodic import Periodic
from tests import messages


@pytest.mark.usefixtures("database_url")
def test_periodic_work_does_not_pile_up_while_nobody_gets_through_with_it() -> None:
    turn = clock._patiently(Periodic("tick", tick.tick.send, tick.INTERVAL))
    for _ in range(clock.ENOUGH_WAITING + 5):
        turn()
    assert len(messages.waiting(queues.SCHEDULER)) == clock.ENOUGH_WAITING
    broker.flush(queues.SCHEDULER)
    turn()
    assert len(messages.waiting(queues.SCHEDULER)) == 1


def test_a_broker_that_is_away_ends_no_turn() -> None:
    def send() -> None:
        raise redis.ConnectionError("away")

    clock._patiently(Periodic("any", send, tick.INTERVAL))()


@pytest.mark.usefixtures("database_url")
def test_what_rests_is_not_sent() -> None:
    resting = True
    turn = clock._patiently(Periodic("tick", tick.tick.send, tick.INTERVAL, lambda: resting))
    turn()
    assert messages.waiting(queues.SCHEDULER) == []
    resting = False
    turn()
    assert len(messages.waiting(queues.SCHEDULER)) == 1
