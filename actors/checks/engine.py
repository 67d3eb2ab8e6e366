"""Runs checks on one event loop in a thread of its own.

Each check starts at its fire time and ends independently: a slow target holds no thread and delays no other check.
"""

import asyncio
import math
import threading
from collections.abc import Iterable
from datetime import UTC, datetime

import structlog

import settings
from actors.checks import loop_stalls
from actors.checks.batch import Batch, CheckResult, PreparedCheck, ResultSink, ScheduledCheck
from actors.checks.host_limiter import HostLimiter, permit
from actors.checks.loop_stalls import Stall, StallDetector
from actors.probes import PROBES, resolver
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from actors.probes.wording import seconds
from actors.probes.worker_fault import WorkerFault
from actors.runtime import telemetry
from actors.runtime.fair_semaphore import FairSemaphore

log = structlog.get_logger(__name__)

#: A check that could not start for so long is recorded as an error and not run: the next one is due.
TOO_LATE_SECONDS = 300
#: Checks whose fire times lie in the same slice of this length start together, at its end: one timer for many checks costs
#: much less than one timer each.
SLICE_SECONDS = 0.05
#: A probe must return this long after its own timeout at the latest.
PROBE_GRACE_SECONDS = 5
#: A check that a stall of this worker can have failed is repeated so often. After that it is an error.
STALL_RETRIES = 2


class Engine:
    """The event loop and its thread. `submit` is thread-safe.

    `sink` gets each result on the engine's loop.
    """

    def __init__(self, sink: ResultSink) -> None:
        config = settings.get()
        self.loop = asyncio.new_event_loop()
        self._limiter = FairSemaphore(config.max_concurrent_connections)
        self._host_limiter = HostLimiter(config.max_connections_per_host)
        self._max_seconds = config.max_execution_time_ms / 1000
        self._tasks: set[asyncio.Task[None]] = set()
        self.sink = sink
        self._stalls = StallDetector(self.loop)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def submit(self, batch: Batch) -> None:
        """Start the batch's checks, each at its fire time."""
        self.loop.call_soon_threadsafe(self._schedule, batch)

    def stop(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for running checks and their results. The broker redelivers unfinished batches."""

        async def drain() -> None:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=timeout)
            await self.sink.drain()

        asyncio.run_coroutine_threadsafe(drain(), self.loop).result(timeout + 10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)

    def _schedule(self, batch: Batch) -> None:
        """Set one timer for each slice of time in which checks are due."""
        now = datetime.now(UTC)
        slices: dict[int, list[ScheduledCheck]] = {}
        for check in batch.checks:
            wait = (check.scheduled_for - now).total_seconds()
            slices.setdefault(math.ceil(max(0.0, wait) / SLICE_SECONDS), []).append(check)
        for number, checks in slices.items():
            self.loop.call_later(number * SLICE_SECONDS, self._start_all, batch, checks)

    def _start_all(self, batch: Batch, checks: Iterable[ScheduledCheck]) -> None:
        for check in checks:
            task = self.loop.create_task(self._check(batch, check))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _check(self, batch: Batch, check: ScheduledCheck) -> None:
        target = check.prepared.target
        started, outcome = await self._outcome(check)
        if outcome.reason is Reason.BLOCKED_TARGET:
            telemetry.BLOCKED_TARGETS.inc()
        telemetry.check(target.kind, batch.location or "", outcome.status.value, outcome.response_time_ms)
        batch.in_flight -= 1
        self.sink.put(CheckResult(batch, check, started, outcome))

    async def _outcome(self, check: ScheduledCheck) -> tuple[datetime, Outcome]:
        """Wait for capacity and run the check. Return when it started, and its outcome."""
        project = check.prepared.project_id
        # The host's permit first: checks of a host that hangs must not use up the engine's capacity while they wait.
        async with self._host_limiter.permit(check.prepared.host, project), permit(self._limiter, project):
            resolver.asking_project.set(project)
            started = datetime.now(UTC)
            late = (started - check.scheduled_for).total_seconds()
            telemetry.lag(late)
            if late > TOO_LATE_SECONDS:
                return started, _error(Reason.CHECK_TOO_LATE, "The check could not start in time.")
            if check.prepared.fault:
                return started, _error(Reason.INVALID_CONFIG, check.prepared.fault)
            return started, await self._retry(check.prepared)

    async def _retry(self, prepared: PreparedCheck) -> Outcome:
        """Return the first outcome that is not down, else the last one. Each attempt has the monitor's whole timeout."""
        for _ in range(prepared.retries):
            outcome = await self._measure(prepared.target)
            if outcome.status is not Status.DOWN:
                return outcome
            # The host's address may have changed since it was cached.
            resolver.invalidate(prepared.host)
        return await self._measure(prepared.target)

    async def _measure(self, target: Target) -> Outcome:
        """Return the outcome of the first probe that no stall of this worker can have failed, else an error."""
        stall = Stall(0.0, 0.0)
        for _ in range(1 + STALL_RETRIES):
            start = self._stalls.begin()
            try:
                outcome = await self._probe(target)
            finally:
                stall = self._stalls.end(start)
            if (accepted := loop_stalls.accept(outcome, target, stall)) is not None:
                return accepted
        sentence = f"This worker was stalled for {seconds(stall.seconds)} during the check."
        return Outcome(Status.ERROR, reason=Reason.INTERNAL_ERROR, message=sentence, fault=WorkerFault.STALL)

    async def _probe(self, target: Target) -> Outcome:
        try:
            async with asyncio.timeout(min(target.timeout, self._max_seconds) + PROBE_GRACE_SECONDS):
                return await PROBES[target.kind](target)
        except TimeoutError:
            return _error(Reason.INTERNAL_ERROR, "The check did not end in time.")
        except Exception:
            # A probe returns an outcome whatever the target does, so an exception is a bug in the probe.
            log.exception("probe failed", kind=target.kind, monitor_id=str(target.monitor_id))
            return _error(Reason.INTERNAL_ERROR, "The check failed because of an internal error. See the log.")


def _error(reason: Reason, message: str) -> Outcome:
    return Outcome(Status.ERROR, reason=reason, message=message)
