"""Accepts an execution message: loads the configs and submits the batch to the engine.

The message is acknowledged when the batch's results are committed, so the broker redelivers the batches of a killed worker.
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
from actors.checks.batch import Batch, ScheduledCheck
from actors.checks.engine import Engine
from actors.checks.worker_sink import WorkerSink
from actors.probes.target import Run
from models.connections.database import transaction
from models.queries import heartbeat_runs
from models.rules.round_ids import from_micros

log = structlog.get_logger(__name__)

#: Time that running checks get to end when the process stops.
STOP_SECONDS = 4

#: (monitor id, fire time in microseconds, version of the monitor)
Item = tuple[str, int, int]


#: `cache` alone would let two batches that arrive together create an engine each.
_starting = Lock()


@cache
def engine() -> Engine:
    """Return this process's engine. The first batch starts it."""
    return Engine(WorkerSink())


class EngineShutdown(dramatiq.Middleware):
    """Lets running checks end when the worker stops, and requeues the batches that do not end in time."""

    def before_worker_shutdown(self, _broker: Any, _worker: Any) -> None:
        if not engine.cache_info().currsize:
            return
        engine().stop(STOP_SECONDS)
        try:
            broker.requeue_held()
        except ConnectionClosed:
            log.warning("batches in flight wait for redelivery: the broker is unreachable")


broker.add_middleware(EngineShutdown())


@dramatiq.actor(
    broker=broker,
    # A default only: the scheduler sets the queue of each message's location.
    queue_name=queues.execution("any"),
    # About 45 s with backoff: if the database is unreachable, each attempt fails immediately.
    max_retries=12,
    min_backoff=500,
    max_backoff=5_000,
    time_limit=60_000,
)
def check(kind: str, location: str | None, expected: list[str] | None, items: list[Item]) -> None:
    """Run one batch of one check type.

    `location` is None for missed heartbeats. `expected` is None if no other location belongs to the rounds.
    """
    wanted = [(UUID(monitor_id), from_micros(micros), version) for monitor_id, micros, version in items]
    prepared = config_cache.load((monitor_id, version) for monitor_id, _, version in wanted)
    checks = [
        ScheduledCheck(monitor_id, scheduled_for, prepared[monitor_id])
        for monitor_id, scheduled_for, _ in wanted
        if monitor_id in prepared
    ]
    if checks and kind == "heartbeat":
        checks = _with_overruns(checks)
    if checks:
        with _starting:
            running = engine()
        running.submit(Batch(kind, location, expected, checks, broker.hold()))


def _with_overruns(checks: list[ScheduledCheck]) -> list[ScheduledCheck]:
    """Return the `checks` of missed heartbeats, each with the run that did not end in time. Raise psycopg's errors."""
    with transaction() as db:
        keys = [(check.monitor_id, check.scheduled_for) for check in checks]
        runs = {
            (overrun.monitor_id, overrun.scheduled_for): Run(overrun.started_at, overrun.run_id)
            for overrun in heartbeat_runs.overruns(db, keys)
        }
    return [_with_overrun(check, runs.get(key)) for check, key in zip(checks, keys, strict=True)]


def _with_overrun(check: ScheduledCheck, run: Run | None) -> ScheduledCheck:
    target = replace(check.prepared.target, overrun=run)
    return check._replace(prepared=check.prepared._replace(target=target))
