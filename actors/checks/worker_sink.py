"""What a check worker does with a result: write it, count faults of the worker, warn of certificates that expire soon."""

import asyncio

from actors.alerts.certificate_warning import ExpiryTracker
from actors.broker import broker
from actors.checks.batch import CheckResult
from actors.checks.result_writer import ResultWriter
from actors.runtime.fault_counts import FaultCounts


class WorkerSink:
    """The `ResultSink` of a check worker. Not thread-safe: the engine calls it on its event loop."""

    def __init__(self) -> None:
        self.certificates = ExpiryTracker()
        self._writer = ResultWriter()
        self._faults = FaultCounts(broker.client)
        self._warnings: set[asyncio.Task[None]] = set()

    def put(self, result: CheckResult) -> None:
        """Accept one result."""
        outcome = result.outcome
        if outcome.fault is not None:
            self._faults.put(result.batch.location or "", outcome.fault)
        self._writer.put(result)
        if certificate := outcome.details.get("sslCertificate"):
            target = result.check.prepared.target
            if (threshold := self.certificates.crossed_threshold(target, certificate)) is not None:
                warning = asyncio.get_running_loop().create_task(self.certificates.send(target, threshold, certificate))
                self._warnings.add(warning)
                warning.add_done_callback(self._warnings.discard)

    async def drain(self) -> None:
        """Return when all accepted results are written and all messages are sent."""
        await self._writer.drain()
        await self._faults.drain()
        await asyncio.gather(*self._warnings)
