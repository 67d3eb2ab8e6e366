"""A check worker's engine in a process of its own, for a test that stops and continues it.

`python -m tests.actors.stopped_worker TIMEOUT URL…` checks every URL once, as one batch, and ends when all is stored.
"""

import sys
import threading
from datetime import UTC, datetime
from uuid import uuid4

import check_types
from actors.checks.batch import Batch, PreparedCheck, ScheduledCheck
from actors.checks.engine import Engine
from actors.checks.worker_sink import WorkerSink
from actors.probes.target import Target


def main(timeout: float, urls: list[str]) -> None:
    done = threading.Event()
    targets = [
        Target(uuid4(), "http_request", url, timeout, check_types.with_defaults("http_request", {})) for url in urls
    ]
    checks = [ScheduledCheck(target.monitor_id, datetime.now(UTC), PreparedCheck(1, target, 0)) for target in targets]
    Engine(WorkerSink()).submit(Batch("http_request", "us-east", None, checks, done.set))
    if not done.wait(60):
        sys.exit("the batch did not end")


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
