"""Writes results in groups as they come, then hands the complete rounds to `aggregate`.

A group goes out at 100 rows or after 250 ms; at once when an outcome failed or nothing else of its batch is in flight.
While one group is being written the next one gathers, so that the busier it is, the larger the groups.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import redis
import structlog

from actors.verdicts.aggregate import send_rounds
from models.connections.database import UNAVAILABLE, transaction
from models.queries import results, rounds
from models.queries.results import ResultRow
from models.queries.rounds import Round

if TYPE_CHECKING:
    from actors.checks.engine import Batch

log = structlog.get_logger(__name__)

GROUP = 100
PAUSE_SECONDS = 0.25
#: Between attempts while the database is away; what was measured waits in memory.
RETRY_SECONDS = 0.5

Entry = tuple["Batch", ResultRow]


class Writer:
    """Belongs to the engine's loop: `put` and `drain` are called on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def put(self, batch: "Batch", row: ResultRow) -> None:
        """Take one result."""
        self._waiting.append((batch, row))
        if row.status != "up" or batch.in_flight == 0 or len(self._waiting) >= GROUP:
            self._flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(PAUSE_SECONDS, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None and self._waiting:
            self._writing = self._loop.create_task(self._write())

    async def _write(self) -> None:
        """Write groups until nothing waits."""
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                await self._keep(group)
        finally:
            self._writing = None

    async def _keep(self, group: list[Entry]) -> None:
        """Write one group, as often as it takes: it was measured, so it must not be lost to a restart of the database.

        What waits meanwhile is bounded by the batches that a worker takes before it has acknowledged others.
        """
        told = False
        while True:
            try:
                await asyncio.to_thread(_store, [row for _, row in group])
            except UNAVAILABLE as error:
                if not told:
                    log.warning("results wait for the database", rows=len(group), error=str(error).strip())
                told = True
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                # One row that the database refuses (a fault of ours) must not take the others with it.
                if len(group) > 1:
                    for entry in group:
                        await self._keep([entry])
                    return
                log.exception("a result was refused; its round ends as ours", result_id=str(group[0][1].id))
                break
            else:
                break
        for batch, _ in group:
            batch.unwritten -= 1
            if batch.unwritten == 0:
                await asyncio.to_thread(batch.done)

    async def drain(self) -> None:
        """Write all that waits."""
        self._flush()
        if self._writing is not None:
            await self._writing


def _store(rows: Sequence[ResultRow]) -> None:
    """Store the rows; afterwards tell who decides. A lost telling is found by the sweep."""
    with transaction(pipelined=True) as db:
        results.store(db, rows)
        decidable: list[Round] = [(row.monitor_id, row.scheduled_for) for row in rows if not row.expected]
        shared = [(row.monitor_id, row.scheduled_for, len(row.expected)) for row in rows if row.expected]
        # Of two locations that finish at once, the later commit must see the earlier one's row: hence after the insert.
        db.commit()
        decidable += rounds.complete(db, list(dict.fromkeys(shared)))
    try:
        send_rounds(decidable)
    except redis.RedisError:
        log.warning("rounds wait for the sweep: the broker is away", rounds=len(decidable))
