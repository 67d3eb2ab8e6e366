"""The main of a Dramatiq process: `worker`, `check_worker` and, with its clock, `scheduler`.

Dramatiq's worker runs in this very process; the supervisor (or the PaaS) restarts what dies, so nothing forks.
"""

import importlib
import signal
import threading
from collections.abc import Callable
from types import FrameType

import dramatiq
import structlog

import settings
from actors import queues
from actors.broker import broker
from actors.runtime import credential_uses, logs, memory, telemetry
from actors.runtime.process_registry import Presence

log = structlog.get_logger(__name__)

#: What a process imports before it starts, so that its first message finds everything warm.
MODULES = {
    "worker": (
        "actors.verdicts.aggregate",
        "actors.alerts.alert",
        "actors.alerts.deliver",
        "actors.alerts.certificate_warning",
        "actors.verdicts.heartbeat_ping",
        "actors.alerts.summary",
        # What all channels but e-mail share; the rest of each is small.
        "notifications.post",
    ),
    "check_worker": ("actors.checks.check",),
    "scheduler": (
        "scheduling.tick",
        "scheduling.sweep",
        "scheduling.ping_replay",
        "scheduling.watch_locations",
        "scheduling.create_partitions",
        "scheduling.sum_days",
        "scheduling.remove_orphans",
    ),
}
#: How many batches a check worker may have under way; the engine bounds the connections beneath them. A batch is under way
#: until its slowest check ends, and batches mix projects: with few of them, one hanging target in each would stop all checks.
BATCHES_AHEAD = 4096
#: The scheduler's work is a few short statements a second.
SCHEDULER_THREADS = 2
STOP_SECONDS = 8
#: An idle thread looks so often whether the process stops; the stop waits for it, and the looking costs next to nothing.
IDLE_MS = 2_000


def main(role: str, beside: Callable[[threading.Event], None] | None = None) -> None:
    """Run until SIGTERM or SIGINT. `beside` is called once the worker runs, with the event that tells the end."""
    config = settings.get()
    logs.configure(config, role)
    for module in MODULES[role]:
        importlib.import_module(module)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    workers = pools(role, config)
    presence = Presence(broker, role, lambda code: serve(workers[0], code), lambda: memory.start_again(stopping))
    telemetry.start(role)
    credential_uses.start(role)
    broker.logger.addFilter(lambda record: "middleware of the same type twice" not in record.getMessage())
    for worker in workers:
        worker.start()
    # Not before the worker consumes: what it learns here adds consumers to those that it has.
    presence.start()
    log.info("started", queues=sorted(queues.of_process(role, config.served_locations)))
    memory.watch(stopping, config.max_memory_usage_mb)
    if beside is not None:
        beside(stopping)
    stopping.wait()
    _stop(workers, presence)
    memory.leave()


def pools(role: str, config: settings.Settings) -> list[dramatiq.Worker]:
    """The pools of threads of this process, each with its own queues.

    Deliveries wait for services of others: they have threads of their own, and no verdict is ever behind them.
    """
    threads = SCHEDULER_THREADS if role == "scheduler" else config.parallel_threads
    taken = queues.of_process(role, config.served_locations)
    made = [_pool(taken - {queues.DELIVERIES}, threads)]
    if queues.DELIVERIES in taken:
        made.append(_pool({queues.DELIVERIES}, config.delivery_threads))
    if role == "check_worker":
        made[0].queue_prefetch = BATCHES_AHEAD
    return made


def _pool(names: set[str], threads: int) -> dramatiq.Worker:
    return dramatiq.Worker(broker, queues=names, worker_threads=threads, worker_timeout=IDLE_MS)


def serve(worker: dramatiq.Worker, code: str) -> None:
    """Let a running `worker` take the checks of one more location."""
    queue = queues.execution(code)
    assert worker.consumer_whitelist is not None, "every worker of ours names its queues"
    worker.consumer_whitelist.add(queue)
    # The worker hears of the new queue from the broker and starts a consumer.
    broker.declare_queue(queue)


def _stop(workers: list[dramatiq.Worker], presence: Presence) -> None:
    log.info("stopping")
    presence.stop()
    broker.stop_taking()
    # At once, for each may take its whole time.
    stops = [threading.Thread(target=one.stop, kwargs={"timeout": STOP_SECONDS * 1000}) for one in workers]
    for stop in stops:
        stop.start()
    for stop in stops:
        stop.join()
    telemetry.stop()
    credential_uses.stop()
