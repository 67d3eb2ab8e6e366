"""The entry point of the processes `worker`, `check_worker` and `scheduler`.

Dramatiq's worker runs in this process without forking. The supervisor or the platform restarts crashed processes.
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
from actors.runtime.process_registry import ProcessRegistry

log = structlog.get_logger(__name__)

#: Modules that a process imports before it starts, so that its first message is not delayed by imports.
MODULES = {
    "worker": (
        "actors.verdicts.aggregate",
        "actors.alerts.alert",
        "actors.alerts.deliver",
        "actors.alerts.certificate_warning",
        "actors.verdicts.heartbeat_ping",
        "actors.alerts.summary",
        # Used by all channels except e-mail. The rest of each channel is small.
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
#: Unacknowledged batches that a check worker accepts. The engine limits the connections. A batch is unacknowledged until its
#: slowest check ends, and batches mix projects: with a low limit, one hanging target per batch would stop all checks.
MAX_BATCHES = 4096
#: The scheduler runs only a few short statements per second.
SCHEDULER_THREADS = 2
STOP_SECONDS = 8
#: How often an idle thread checks whether the process stops. Stopping waits for this.
IDLE_POLL_MS = 2_000


def main(role: str, beside: Callable[[threading.Event], None] | None = None) -> None:
    """Run until SIGTERM or SIGINT. `beside` is called when the worker runs, with an event that is set when the process stops."""
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
    registry = ProcessRegistry(broker, role, lambda code: serve(workers[0], code), lambda: memory.restart(stopping))
    telemetry.start(role)
    credential_uses.start(role)
    broker.logger.addFilter(lambda record: "middleware of the same type twice" not in record.getMessage())
    for worker in workers:
        worker.start()
    # After the workers have started: new locations add consumers to a running worker.
    registry.start()
    log.info("started", queues=sorted(queues.of_process(role, config.served_locations)))
    memory.watch(stopping, config.max_memory_usage_mb)
    if beside is not None:
        beside(stopping)
    stopping.wait()
    _stop(workers, registry)
    memory.exit_for_restart()


def pools(role: str, config: settings.Settings) -> list[dramatiq.Worker]:
    """Return the thread pools of this process, each with its own queues.

    Deliveries wait for external services, so they have their own threads and never delay verdicts.
    """
    threads = SCHEDULER_THREADS if role == "scheduler" else config.parallel_threads
    consumed = queues.of_process(role, config.served_locations)
    workers = [_pool(consumed - {queues.DELIVERIES}, threads)]
    if queues.DELIVERIES in consumed:
        workers.append(_pool({queues.DELIVERIES}, config.delivery_threads))
    if role == "check_worker":
        workers[0].queue_prefetch = MAX_BATCHES
    return workers


def _pool(names: set[str], threads: int) -> dramatiq.Worker:
    return dramatiq.Worker(broker, queues=names, worker_threads=threads, worker_timeout=IDLE_POLL_MS)


def serve(worker: dramatiq.Worker, code: str) -> None:
    """Add the queue of location `code` to a running `worker`."""
    queue = queues.execution(code)
    assert worker.consumer_whitelist is not None, "every worker lists its queues"
    worker.consumer_whitelist.add(queue)
    # The broker notifies the worker, which starts a consumer.
    broker.declare_queue(queue)


def _stop(workers: list[dramatiq.Worker], registry: ProcessRegistry) -> None:
    log.info("stopping")
    registry.stop()
    broker.stop_taking()
    # In parallel: each may take the whole `STOP_SECONDS`.
    stops = [threading.Thread(target=worker.stop, kwargs={"timeout": STOP_SECONDS * 1000}) for worker in workers]
    for stop in stops:
        stop.start()
    for stop in stops:
        stop.join()
    telemetry.stop()
    credential_uses.stop()
