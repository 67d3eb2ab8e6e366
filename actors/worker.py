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
from actors import credential_uses, logs, memory, queues, telemetry
from actors.broker import broker
from actors.presence import Presence

log = structlog.get_logger(__name__)

#: What a process imports before it starts, so that its first message finds everything warm.
MODULES = {
    "worker": (
        "actors.aggregate",
        "actors.alert",
        "actors.deliver",
        "actors.expiring",
        "actors.heartbeat_ping",
        "actors.summary",
        # What all channels but e-mail share; the rest of each is small.
        "notifications.post",
    ),
    "check_worker": ("actors.check",),
    "scheduler": ("scheduling.tick", "scheduling.sweep", "scheduling.fold", "scheduling.upkeep"),
}
#: How many batches a check worker may have under way; the engine bounds the connections beneath them.
BATCHES_AHEAD = 256
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
    worker = _worker(role, config)
    presence = Presence(broker, role, lambda code: serve(worker, code), lambda: memory.start_again(stopping))
    telemetry.start(role)
    credential_uses.start(role)
    worker.start()
    # Not before the worker consumes: what it learns here adds consumers to those that it has.
    presence.start()
    log.info("started", queues=sorted(worker.consumer_whitelist or ()))
    memory.watch(stopping, config.max_memory_usage_mb)
    if beside is not None:
        beside(stopping)
    stopping.wait()
    _stop(worker, presence)
    memory.leave()


def _worker(role: str, config: settings.Settings) -> dramatiq.Worker:
    threads = SCHEDULER_THREADS if role == "scheduler" else config.parallel_threads
    worker = dramatiq.Worker(
        broker,
        queues=queues.of_process(role, config.served_locations),
        worker_threads=threads,
        worker_timeout=IDLE_MS,
    )
    if role == "check_worker":
        worker.queue_prefetch = BATCHES_AHEAD
    return worker


def serve(worker: dramatiq.Worker, code: str) -> None:
    """Let a running `worker` take the checks of one more location."""
    queue = queues.execution(code)
    assert worker.consumer_whitelist is not None, "every worker of ours names its queues"
    worker.consumer_whitelist.add(queue)
    # The worker hears of the new queue from the broker and starts a consumer.
    broker.declare_queue(queue)


def _stop(worker: dramatiq.Worker, presence: Presence) -> None:
    log.info("stopping")
    presence.stop()
    broker.stop_taking()
    worker.stop(timeout=STOP_SECONDS * 1000)
    telemetry.stop()
    credential_uses.stop()
