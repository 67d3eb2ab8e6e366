"""The schedule: which monitors are due, and when they run next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db


class DueMonitor(NamedTuple):
    """A due monitor, locked by the transaction that read it.

    `timeout` (seconds per try), `retries`, `grace` (minutes, heartbeats only) and `locations` are unchecked values of the
    config, None if it does not set them: each is parsed on its own, so that an invalid value in one row affects no other.
    `open_deadline` is set while an earlier round is open.
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
    """Why Supercheck did not check: an error code and a sentence for users."""

    code: str
    message: str


class ScheduleUpdate(NamedTuple):
    """The new schedule of a claimed monitor. Without `scheduled_for` the fire time is skipped and counted.

    `gap` is set if the skip is a fault of Supercheck; the monitor then shows it.
    """

    monitor_id: UUID
    next_run_at: datetime
    scheduled_for: datetime | None
    expected: list[str]
    deadline: datetime | None
    gap: Gap | None


# `m.enabled`: a write that committed after a pause may have set `next_run_at` again. It must not start the monitor.
_CLAIM = """
SELECT s.monitor_id, m.version, m.type, s.next_run_at, m.interval_seconds, m.cron_expression, m.timezone,
       m.config->'timeoutSeconds' AS timeout, m.config->'retries' AS retries, m.config->'gracePeriodMinutes' AS grace,
       m.config->'locationConfig' AS locations, s.open_deadline
FROM monitor_states s JOIN monitors m ON m.id = s.monitor_id
WHERE s.next_run_at <= %(until)s AND m.enabled AND (m.type <> 'heartbeat' OR s.next_run_at <= %(now)s::timestamptz)
ORDER BY s.next_run_at
LIMIT %(limit)s
FOR UPDATE OF s SKIP LOCKED
"""

_UPDATE = """
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


def claim_due(db: Db, until: datetime, now: datetime | None, limit: int) -> list[DueMonitor]:
    """Lock and return the monitors due up to `until`, the most overdue first; other schedulers skip locked rows.

    Heartbeats are claimed only if they are due at `now`: until then a ping may still arrive. If `now` is None, no
    heartbeat is claimed.
    """
    with db.cursor(row_factory=class_row(DueMonitor)) as cursor:
        return cursor.execute(_CLAIM, {"until": until, "now": now, "limit": limit}).fetchall()


def next_due(db: Db) -> datetime | None:
    """Return when the next monitor is due; None if nothing is scheduled."""
    row = db.execute(
        "SELECT s.next_run_at FROM monitor_states s JOIN monitors m ON m.id = s.monitor_id AND m.enabled"
        " WHERE s.next_run_at IS NOT NULL ORDER BY s.next_run_at LIMIT 1"
    ).fetchone()
    return None if row is None else row[0]


def update(db: Db, updates: Sequence[ScheduleUpdate]) -> None:
    """Store the new schedules of claimed monitors and open their rounds."""
    if updates:
        db.execute(
            _UPDATE,
            {
                "ids": [update.monitor_id for update in updates],
                "next": [update.next_run_at for update in updates],
                "scheduled": [update.scheduled_for for update in updates],
                "expected": [",".join(update.expected) for update in updates],
                "deadlines": [update.deadline for update in updates],
                "gap_codes": [update.gap and update.gap.code for update in updates],
                "gap_messages": [update.gap and update.gap.message for update in updates],
            },
        )
