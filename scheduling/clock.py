"""The scheduler process: a clock that enqueues the periodic actors, next to the worker that runs them."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import redis
import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

import settings
from actors import queues, worker
from actors.broker import broker
from scheduling.periodic import PeriodicWork, periodic_work

log = structlog.get_logger(__name__)

#: While this many messages wait (for example because the database is down), the clock adds none.
MAX_QUEUED = 100


def main() -> None:
    """Run until the process is stopped."""
    worker.main("scheduler", beside=start)


def start(_stopping: threading.Event) -> None:
    """Start the clock's thread."""
    clock = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(1)},
        # After a standstill, one run replaces all runs that were missed.
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )
    all_work = periodic_work(settings.get())
    for work in all_work:
        clock.add_job(
            _job(work),
            "interval",
            seconds=work.interval.total_seconds(),
            next_run_time=datetime.now(UTC),
            id=work.name,
        )
    clock.start()
    log.info("schedulers initialised", periodic=[work.name for work in all_work])


def _job(work: PeriodicWork) -> Callable[[], None]:
    """Return a function that sends `work` unless it rests or the queue is full. If Redis is down, it logs one line."""

    def run() -> None:
        if work.resting():
            return
        try:
            if broker.client.llen(f"{broker.namespace}:{queues.SCHEDULER}") < MAX_QUEUED:
                work.send()
        except redis.RedisError as error:
            log.warning("Redis is unavailable", error=str(error))

    return run
