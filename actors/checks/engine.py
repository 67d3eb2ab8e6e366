"""Runs checks: one event loop in a thread of its own, on which every probe of this process lives.

Each check starts at its scheduled time and ends by itself: a slow target holds no thread and delays no other.
"""

import asyncio
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import structlog

import settings
from actors.alerts.certificate_warning import ExpiryTracker
from actors.broker import broker
from actors.checks import standstill
from actors.checks.config_cache import Prepared
from actors.checks.host_limiter import HostRoom, place
from actors.checks.result_writer import Writer
from actors.checks.standstill import Standstill, Stood
from actors.probes import PROBES, resolver
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from actors.probes.wording import seconds
from actors.probes.worker_trouble import Trouble
from actors.runtime import telemetry
from actors.runtime.fair_share import FairShare
from actors.runtime.trouble_counts import TroubleCounts
from models.queries.results import ResultRow
from models.rules.round_ids import result_id

log = structlog.get_logger(__name__)

#: A check that could not start for so long is recorded as ours instead of being run: the next one is due.
TOO_LATE_SECONDS = 300
#: Checks start together in slices of this length, at its end: many starts at one turn of the loop cost much less than a
#: turn each, and nobody can tell a check that is late by so little.
SLICE_SECONDS = 0.05
#: On top of its own timeout: a probe that does not come back by then is broken.
GRACE_SECONDS = 5
#: A check during which this worker stood still is made again so often before it counts as ours.
AGAIN = 2


class Slot(NamedTuple):
    """One check to run."""

    monitor_id: UUID
    scheduled_for: datetime
    prepared: Prepared


@dataclass(slots=True, eq=False)
class Batch:
    """The checks of one execution message; `done` is called when the last of their results is durable.

    `expected` is None where `location` is the only one of the round. `in_flight` and `unwritten` count down to zero.
    """

    kind: str
    location: str | None
    expected: list[str] | None
    slots: Sequence[Slot]
    done: Callable[[], None]
    in_flight: int = field(init=False)
    unwritten: int = field(init=False)

    def __post_init__(self) -> None:
        self.in_flight = self.unwritten = len(self.slots)


class Engine:
    """The loop's thread. `submit` may be called from any thread."""

    def __init__(self) -> None:
        config = settings.get()
        self.loop = asyncio.new_event_loop()
        self._room = FairShare(config.max_concurrent_connections)
        self._hosts = HostRoom(config.max_connections_per_host)
        self._longest = config.max_execution_time_ms / 1000
        self._tasks: set[asyncio.Task[None]] = set()
        self.writer = Writer(self.loop)
        self._certificates = ExpiryTracker()
        self._standstill = Standstill(self.loop)
        self._troubles = TroubleCounts(broker.client)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def submit(self, batch: Batch) -> None:
        """Start the batch's checks, each at its time."""
        self.loop.call_soon_threadsafe(self._admit, batch)

    def stop(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for checks in flight and their rows; what remains is redelivered to others."""

        async def drain() -> None:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=timeout)
            await self.writer.drain()
            await self._troubles.drain()

        asyncio.run_coroutine_threadsafe(drain(), self.loop).result(timeout + 10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)

    def _admit(self, batch: Batch) -> None:
        """Start what is due, and set one timer for each slice of what is not."""
        now = datetime.now(UTC)
        slices: dict[int, list[Slot]] = {}
        for slot in batch.slots:
            wait = (slot.scheduled_for - now).total_seconds()
            slices.setdefault(math.ceil(max(0.0, wait) / SLICE_SECONDS), []).append(slot)
        for number, slots in slices.items():
            self.loop.call_later(number * SLICE_SECONDS, self._start_all, batch, slots)

    def _start_all(self, batch: Batch, slots: list[Slot]) -> None:
        for slot in slots:
            self._start(batch, slot)

    def _start(self, batch: Batch, slot: Slot) -> None:
        task = self.loop.create_task(self._check(batch, slot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _check(self, batch: Batch, slot: Slot) -> None:
        # The host's place first: a host that hangs holds back its own checks, and not the room of the others.
        project = slot.prepared.project_id
        async with self._hosts.at(slot.prepared.host, project), place(self._room, project):
            resolver.asking_project.set(project)
            started = datetime.now(UTC)
            late = (started - slot.scheduled_for).total_seconds()
            telemetry.lag(late)
            if late > TOO_LATE_SECONDS:
                outcome = Outcome(
                    Status.ERROR, reason=Reason.CHECK_TOO_LATE, message="The check could not start in time."
                )
            elif slot.prepared.fault:
                outcome = Outcome(Status.ERROR, reason=Reason.INVALID_CONFIG, message=slot.prepared.fault)
            else:
                outcome = await self._tries(slot.prepared)
        if outcome.reason is Reason.BLOCKED_TARGET:
            telemetry.BLOCKED_TARGETS.inc()
        if outcome.trouble is not None:
            self._troubles.put(batch.location or "", outcome.trouble)
        telemetry.check(slot.prepared.target.kind, batch.location or "", outcome.status.value, outcome.response_time_ms)
        batch.in_flight -= 1
        self.writer.put(batch, _row(batch, slot, started, outcome))
        if certificate := outcome.details.get("sslCertificate"):
            target = slot.prepared.target
            if (threshold := self._certificates.crossed_threshold(target, certificate)) is not None:
                await self._certificates.send(target, threshold, certificate)

    async def _tries(self, prepared: Prepared) -> Outcome:
        """The first good outcome, else the last failure; every try has the monitor's whole timeout."""
        for _ in range(prepared.retries):
            outcome = await self._measure(prepared.target)
            if outcome.status is not Status.DOWN:
                return outcome
            # It may have moved since its name was looked up.
            resolver.doubt(prepared.host)
        return await self._measure(prepared.target)

    async def _measure(self, target: Target) -> Outcome:
        """Return what was found by a try during which this worker did not stand still, else an error of ours."""
        stood = Stood(0.0, 0.0)
        for _ in range(1 + AGAIN):
            began = self._standstill.begin()
            try:
                outcome = await self._probe(target)
            finally:
                stood = self._standstill.end(began)
            if (believed := standstill.believe(outcome, target, stood)) is not None:
                return believed
        sentence = f"This worker stood still for {seconds(stood.seconds)} during the check."
        return Outcome(Status.ERROR, reason=Reason.INTERNAL_ERROR, message=sentence, trouble=Trouble.STANDSTILL)

    async def _probe(self, target: Target) -> Outcome:
        try:
            async with asyncio.timeout(min(target.timeout, self._longest) + GRACE_SECONDS):
                return await PROBES[target.kind](target)
        except TimeoutError:
            return Outcome(Status.ERROR, reason=Reason.INTERNAL_ERROR, message="The check did not come back in time.")
        except Exception:
            # A probe returns its outcome, whatever the target does. What it raises is a fault of ours: told as ours.
            log.exception("a probe failed", kind=target.kind, monitor_id=str(target.monitor_id))
            return Outcome(Status.ERROR, reason=Reason.INTERNAL_ERROR, message="The check itself failed; see the logs.")


def _row(batch: Batch, slot: Slot, started: datetime, outcome: Outcome) -> ResultRow:
    return ResultRow(
        id=result_id(slot.monitor_id, slot.scheduled_for, batch.location),
        scheduled_for=slot.scheduled_for,
        monitor_id=slot.monitor_id,
        checked_at=started,
        location=batch.location,
        expected=batch.expected,
        status=outcome.status.value,
        response_time_ms=outcome.response_time_ms,
        error_code=None if outcome.reason is None else outcome.reason.value,
        error_message=outcome.message or None,
        details=outcome.details,
    )
