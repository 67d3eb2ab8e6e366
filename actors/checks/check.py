"""Takes an execution message: loads the configs, hands the whole batch to the engine.

The message is acknowledged when the batch's results are committed, so a killed worker's batches come again.
"""

from dataclasses import replace
from functools import cache
from threading import Lock
from typing import Any
from uuid import UUID

import dramatiq
import structlog
from dramatiq.errors import ConnectionClosed

from actors import queues
from actors.broker import broker
from actors.checks import config_cache
from actors.checks.engine import Batch, Engine, Slot
from actors.probes.target import Run
from models.connections.database import transaction
from models.queries import heartbeat_runs
from models.rules.round_ids import from_micros

log = structlog.get_logger(__name__)

#: Checks in flight get so long when the process is told to stop.
STOP_SECONDS = 4

#: (monitor id, scheduled time in microseconds, the monitor's version)
Item = tuple[str, int, int]


#: `cache` alone lets two batches that come first together start an engine each.
_starting = Lock()


@cache
def engine() -> Engine:
    """This process's engine, started by the first batch."""
    return Engine()


class EngineLife(dramatiq.Middleware):
    """Lets what is in flight end when the worker stops; what does not end in time goes back to its queue."""

    def before_worker_shutdown(self, _broker: Any, _worker: Any) -> None:
        if not engine.cache_info().currsize:
            return
        engine().stop(STOP_SECONDS)
        try:
            broker.requeue_held()
        except ConnectionClosed:
            log.warning("batches in flight wait for their redelivery: the broker is away")


broker.add_middleware(EngineLife())


@dramatiq.actor(
    broker=broker,
    # Only the default: dispatch names each message's own location.
    queue_name=queues.execution("any"),
    # With its backoff about 45 s: a database that is away fails each try at once.
    max_retries=12,
    min_backoff=500,
    max_backoff=5_000,
    time_limit=60_000,
)
def check(kind: str, location: str | None, expected: list[str] | None, items: list[Item]) -> None:
    """Run one batch of one probe kind. `location` is None for missed heartbeats; `expected` is None where it stands alone."""
    wanted = [(UUID(monitor_id), from_micros(micros), version) for monitor_id, micros, version in items]
    known = config_cache.prepared((monitor_id, version) for monitor_id, _, version in wanted)
    slots = [
        Slot(monitor_id, scheduled, known[monitor_id]) for monitor_id, scheduled, _ in wanted if monitor_id in known
    ]
    if slots and kind == "heartbeat":
        slots = _with_overruns(slots)
    if slots:
        with _starting:
            running = engine()
        running.submit(Batch(kind, location, expected, slots, broker.hold()))


def _with_overruns(slots: list[Slot]) -> list[Slot]:
    """`slots` of missed heartbeats, each with the run that did not end in time. Raises psycopg's errors."""
    with transaction() as db:
        found = {
            (one.monitor_id, one.scheduled_for): Run(one.started_at, one.run_id)
            for one in heartbeat_runs.overruns(db, [(slot.monitor_id, slot.scheduled_for) for slot in slots])
        }
    return [_with_overrun(slot, found.get((slot.monitor_id, slot.scheduled_for))) for slot in slots]


def _with_overrun(slot: Slot, run: Run | None) -> Slot:
    target = replace(slot.prepared.target, overrun=run)
    return slot._replace(prepared=slot.prepared._replace(target=target))
