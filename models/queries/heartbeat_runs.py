"""Runs of heartbeat jobs that exceed the time limit of their monitor."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db


class Overrun(NamedTuple):
    """A run that should have ended at or before `scheduled_for` and has not. `run_id` is None if the job sent none."""

    monitor_id: UUID
    scheduled_for: datetime
    started_at: datetime
    run_id: UUID | None


# The scheduler may decide minutes after the deadline, so the limit of the run may be that much earlier.
_OVERRUNS = """
SELECT DISTINCT ON (v.monitor_id, v.scheduled_for) v.monitor_id, v.scheduled_for, s.received_at AS started_at, s.run_id
FROM unnest(%(ids)s::uuid[], %(times)s::timestamptz[]) AS v(monitor_id, scheduled_for)
JOIN monitors m ON m.id = v.monitor_id
CROSS JOIN LATERAL (SELECT make_interval(secs => 60 * (m.config->>'maxRunMinutes')::float8) AS longest) l
JOIN heartbeat_pings s ON s.monitor_id = m.id AND s.kind = 'start'
    AND s.received_at BETWEEN v.scheduled_for - l.longest - interval '10 min' AND v.scheduled_for - l.longest + interval '1 ms'
WHERE NOT EXISTS (
    SELECT FROM heartbeat_pings e WHERE e.monitor_id = m.id AND e.received_at >= s.received_at AND e.id <> s.id
        AND (e.run_id IS NULL OR e.run_id = s.run_id)
        AND (e.kind IN ('success', 'fail') OR e.kind = 'start' AND e.run_id IS NULL AND s.run_id IS NULL))
ORDER BY v.monitor_id, v.scheduled_for, s.received_at DESC
"""


def overruns(db: Db, rounds: Sequence[tuple[UUID, datetime]]) -> list[Overrun]:
    """Return the overrunning run of each missed round (monitor, scheduled time), if there is one."""
    with db.cursor(row_factory=class_row(Overrun)) as cursor:
        values = {
            "ids": [monitor_id for monitor_id, _ in rounds],
            "times": [scheduled_for for _, scheduled_for in rounds],
        }
        return cursor.execute(_OVERRUNS, values).fetchall()
