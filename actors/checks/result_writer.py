"""Writes results to the database in groups, then sends complete rounds to `aggregate`.

A group is written at 100 rows or after 250 ms, or at once if a check failed or was the last one in flight of its batch.
While one group is being written the next one gathers, so groups grow with the load.
"""

import asyncio
from collections.abc import Sequence

import redis
import structlog

from actors.checks.batch import Batch, CheckResult
from actors.verdicts.aggregate import send_rounds
from models.connections.database import UNAVAILABLE, transaction
from models.queries import results, rounds
from models.queries.results import ResultRow
from models.queries.rounds import Round
from models.rules.round_ids import result_id

log = structlog.get_logger(__name__)

MAX_GROUP_SIZE = 100
FLUSH_SECONDS = 0.25
#: Pause between attempts while the database is unreachable. Results wait in memory.
RETRY_SECONDS = 0.5

Entry = tuple[Batch, ResultRow]


class ResultWriter:
    """A `ResultSink` that writes to the database. Not thread-safe: the engine calls it on its event loop."""

    def __init__(self) -> None:
        self._waiting: list[Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def put(self, result: CheckResult) -> None:
        """Accept one result."""
        batch, row = result.batch, result_row(result)
        self._waiting.append((batch, row))
        if row.status != "up" or batch.in_flight == 0 or len(self._waiting) >= MAX_GROUP_SIZE:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush)

    async def drain(self) -> None:
        """Return when all accepted results are written."""
        self._flush()
        if self._writing is not None:
            await self._writing

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None and self._waiting:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        """Write groups until no result waits."""
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                await self._write_group(group)
        finally:
            self._writing = None

    async def _write_group(self, group: list[Entry]) -> None:
        """Write one group. Retry while the database is unreachable, so that a restart of it loses no result.

        The results that wait are bounded by the batches that a worker accepts without acknowledging earlier ones.
        """
        warned = False
        while True:
            try:
                await asyncio.to_thread(store, [row for _, row in group])
            except UNAVAILABLE as error:
                if not warned:
                    log.warning("results wait: the database is unreachable", rows=len(group), error=str(error).strip())
                warned = True
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                # The database rejects one row, which is a bug. Write the others of the group.
                if len(group) > 1:
                    for entry in group:
                        await self._write_group([entry])
                    return
                log.exception("the database rejected a result; its round ends as error", result_id=str(group[0][1].id))
                break
            else:
                break
        for batch, _ in group:
            batch.unwritten -= 1
            if batch.unwritten == 0:
                await asyncio.to_thread(batch.done)


def store(rows: Sequence[ResultRow]) -> None:
    """Store the rows, then send complete rounds to `aggregate`. The sweep sends rounds that are lost here."""
    with transaction(pipelined=True) as db:
        results.store(db, rows)
        complete: list[Round] = [(row.monitor_id, row.scheduled_for) for row in rows if not row.expected]
        shared = [(row.monitor_id, row.scheduled_for, len(row.expected)) for row in rows if row.expected]
        # If two locations finish at the same time, the later commit must see the earlier row. So commit before counting.
        db.commit()
        complete += rounds.complete(db, list(dict.fromkeys(shared)))
    try:
        send_rounds(complete)
    except redis.RedisError:
        log.warning("rounds wait for the sweep: the broker is unreachable", rounds=len(complete))


def result_row(result: CheckResult) -> ResultRow:
    """Return the row that stores `result`."""
    batch, check, started, outcome = result
    return ResultRow(
        id=result_id(check.monitor_id, check.scheduled_for, batch.location),
        scheduled_for=check.scheduled_for,
        monitor_id=check.monitor_id,
        checked_at=started,
        location=batch.location,
        expected=batch.expected,
        status=outcome.status.value,
        response_time_ms=outcome.response_time_ms,
        error_code=None if outcome.reason is None else outcome.reason.value,
        error_message=outcome.message or None,
        details=outcome.details,
    )
