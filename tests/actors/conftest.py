"""What the stages need: a project in the database, services outside."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest

from tests import outside, rows

if TYPE_CHECKING:
    # Loaded by the fixtures: the broker connects at import, and this file comes before the tests' settings.
    from actors.checks.batch import ScheduledCheck
    from actors.checks.engine import Engine
    from tests.actors.batches import Run


@pytest.fixture
def project(connection: psycopg.Connection[Any]) -> UUID:
    rows.a_location(connection)
    return rows.a_project(connection)


@pytest.fixture
def hook() -> Iterator[outside.Hook]:
    with outside.hook() as it:
        yield it


@pytest.fixture
def engine(database_url: str) -> Iterator["Engine"]:
    from actors.checks.engine import Engine
    from actors.checks.worker_sink import WorkerSink

    made = Engine(WorkerSink())
    yield made
    made.stop(1)
    made.loop.close()


@pytest.fixture
def run(engine: "Engine", connection: psycopg.Connection[Any]) -> "Run":
    """Call it with checks: they run as one batch; answers (address, status, error code) once all is durable."""

    from actors.checks.batch import Batch

    def batch(*checks: "ScheduledCheck") -> list[tuple[Any, ...]]:
        done = threading.Event()
        engine.submit(Batch("port_check", "us-east", None, checks, done.set))
        assert done.wait(20)
        names = {check.monitor_id: check.prepared.target.address for check in checks}
        found = connection.execute("SELECT monitor_id, status, error_code FROM monitor_results").fetchall()
        return sorted((names[monitor], status, code) for monitor, status, code in found)

    return batch
