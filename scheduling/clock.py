"""The scheduler process: a clock that sends the periodic actors, and the worker that runs them, side by side."""

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
from scheduling.periodic import Periodic, work

log = structlog.get_logger(__name__)

#: While so many messages wait (the database is away, say), more of them would only be work for afterwards.
ENOUGH_WAITING = 100


def main() -> None:
    """Run until told to stop."""
    worker.main("scheduler", beside=start)


def start(_stopping: threading.Event) -> None:
    """Start the clock's thread."""
    clock = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(1)},
        # After a sleep or a stall one run makes up for all that were missed.
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )
    periodic = work(settings.get())
    for one in periodic:
        clock.add_job(
            _patiently(one),
            "interval",
            seconds=one.interval.total_seconds(),
            next_run_time=datetime.now(UTC),
            id=one.name,
        )
    clock.start()
    log.info("schedulers initialised", periodic=[one.name for one in periodic])


def _patiently(one: Periodic) -> Callable[[], None]:
    """Sends it, unless it rests or enough waits already; a broker that is away is told in one line. The next turn tries again."""

    def turn() -> None:
        if one.resting():
            return
        try:
            if broker.client.llen(f"{broker.namespace}:{queues.SCHEDULER}") < ENOUGH_WAITING:
                one.send()
        except redis.RedisError as error:
            log.warning("the broker is away", error=str(error))

    return turn
