"""The schedule: which monitors are due, and where they move to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db


class Due(NamedTuple):
    """A due monitor, locked by the transaction that read it.

    `timeout` (seconds of one try), `retries`, `grace` (minutes, heartbeats only) and `locations` stand as the config has
    them, None where it is silent: they are read one by one, so that what is wrong in one row spoils no other.
    `open_deadline` is set while an earlier round is still under way.
    """

    monitor_id: UUID
    version: int
    type: str
    next_run_at: datetime
    interval_seconds: int | None
    cron_expression: str | None
    timezone: str
    timeout: Any
    retries: Any
    grace: Any
    locations: Any
    open_deadline: datetime | None


class Gap(NamedTuple):
    """Why we did not look: an error code and a sentence for people."""

    code: str
    message: str


class Move(NamedTuple):
    """Where a claimed monitor goes; without `scheduled_for` the slot is skipped and counted, with a `gap` as our failure."""

    monitor_id: UUID
    next_run_at: datetime
    scheduled_for: datetime | None
    expected: list[str]
    deadline: datetime | None
    gap: Gap | None


# `m.enabled`: what was written beside a pause that was still being committed revives no monitor.
_DUE = """
SELECT s.monitor_id, m.version, m.type, s.next_run_at, m.interval_seconds, m.cron_expression, m.timezone,
       m.config->'timeoutSeconds' AS timeout, m.config->'retries' AS retries, m.config->'gracePeriodMinutes' AS grace,
       m.config->'locationConfig' AS locations, s.open_deadline
FROM monitor_states s JOIN monitors m ON m.id = s.monitor_id
WHERE s.next_run_at <= %(until)s AND m.enabled AND (m.type <> 'heartbeat' OR s.next_run_at <= %(now)s::timestamptz)
ORDER BY s.next_run_at
LIMIT %(limit)s
FOR UPDATE OF s SKIP LOCKED
"""

_MOVE = """
UPDATE monitor_states s
SET next_run_at = v.next_run_at,
    last_run_at = coalesce(v.scheduled_for, s.last_run_at),
    open_scheduled_for = coalesce(v.scheduled_for, s.open_scheduled_for),
    open_expected = CASE WHEN v.scheduled_for IS NULL THEN s.open_expected ELSE string_to_array(v.expected, ',') END,
    open_deadline = CASE WHEN v.scheduled_for IS NULL THEN s.open_deadline ELSE v.deadline END,
    skipped_slots = s.skipped_slots + CASE WHEN v.scheduled_for IS NULL THEN 1 ELSE 0 END,
    last_verdict = CASE WHEN v.gap_code IS NULL THEN s.last_verdict ELSE 'error' END,
    last_error_code = coalesce(v.gap_code, s.last_error_code),
    last_error_message = CASE WHEN v.gap_code IS NULL THEN s.last_error_message ELSE v.gap_message END
FROM unnest(%(ids)b::uuid[], %(next)b::timestamptz[], %(scheduled)b::timestamptz[], %(expected)b::text[],
            %(deadlines)b::timestamptz[], %(gap_codes)b::text[], %(gap_messages)b::text[])
     AS v(monitor_id, next_run_at, scheduled_for, expected, deadline, gap_code, gap_message)
WHERE s.monitor_id = v.monitor_id
"""


def due(db: Db, until: datetime, now: datetime | None, limit: int) -> list[Due]:
    """The monitors due up to `until`, those that waited longest first, locked; other schedulers pass over them.

    Heartbeats are never taken before their very time, `now`: until then a ping may still arrive. Without it none is.
    """
    with db.cursor(row_factory=class_row(Due)) as cursor:
        return cursor.execute(_DUE, {"until": until, "now": now, "limit": limit}).fetchall()


def next_due(db: Db) -> datetime | None:
    """When the next monitor is due; None where nothing is scheduled."""
    row = db.execute(
        "SELECT s.next_run_at FROM monitor_states s JOIN monitors m ON m.id = s.monitor_id AND m.enabled"
        " WHERE s.next_run_at IS NOT NULL ORDER BY s.next_run_at LIMIT 1"
    ).fetchone()
    return None if row is None else row[0]


def move(db: Db, moves: Sequence[Move]) -> None:
    """Write back where the claimed monitors go, and open their rounds."""
    if moves:
        db.execute(
            _MOVE,
            {
                "ids": [one.monitor_id for one in moves],
                "next": [one.next_run_at for one in moves],
                "scheduled": [one.scheduled_for for one in moves],
                "expected": [",".join(one.expected) for one in moves],
                "deadlines": [one.deadline for one in moves],
                "gap_codes": [one.gap and one.gap.code for one in moves],
                "gap_messages": [one.gap and one.gap.message for one in moves],
            },
        )
