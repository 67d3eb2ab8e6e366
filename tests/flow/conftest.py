"""The whole pipeline inside the test process: every actor consumed by one Dramatiq worker, the clock in the test's hands."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import dramatiq
import psycopg
import pytest

from tests import outside, rows
from tests.waiting import until


@pytest.fixture
def road(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """All queues consumed, partitions made, the default location there and its worker present."""
    import actors.alerts.alert
    import actors.alerts.deliver
    import actors.checks.check
    import actors.verdicts.aggregate
    import actors.verdicts.heartbeat_ping
    import scheduling.sweep
    import scheduling.tick
    from actors.broker import broker
    from actors.runtime.process_registry import ProcessRegistry, workers_online
    from models.connections.database import transaction
    from models.queries import partitions
    from scheduling import dispatch

    fresh = dispatch._OnlineLocations()
    rows.a_location(connection)
    with transaction() as db:
        partitions.create_ahead(db, datetime.now(UTC).date())
    registry = ProcessRegistry(broker, "check_worker")
    registry.start()
    until(lambda: workers_online(broker.client))
    for module in (dispatch, scheduling.tick, scheduling.sweep):
        vars(module)["online"] = fresh
    worker = dramatiq.Worker(broker, worker_threads=4, worker_timeout=500)
    worker.start()
    yield
    registry.stop()
    for consumer in list(broker.consumers.values()):
        consumer.stop_taking()
    worker.stop()
    broker.consumers.clear()
    broker.middleware[:] = [one for one in broker.middleware if type(one).__name__ != "_WorkerMiddleware"]
    if actors.checks.check.engine.cache_info().currsize:
        actors.checks.check.engine().loop.close()
        actors.checks.check.engine.cache_clear()


@pytest.fixture
def tick() -> Callable[[], int]:
    """One turn of the clock: what is due is claimed and sent."""

    def turn() -> int:
        from scheduling import tick

        return tick.claim_and_dispatch(datetime.now(UTC))

    return turn


@pytest.fixture
def target() -> Iterator[outside.Target]:
    with outside.target() as it:
        yield it


@pytest.fixture
def hook() -> Iterator[outside.Hook]:
    with outside.hook() as it:
        yield it


@pytest.fixture
def sweep() -> Callable[[], None]:
    """One turn of the sweep."""

    def turn() -> None:
        from scheduling import sweep

        sweep.sweep.fn()

    return turn
