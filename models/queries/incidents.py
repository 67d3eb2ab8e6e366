"""Incidents: open, close, and keep the results that an outage began with (results are deleted after a while)."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from models.connections.database import Db


class IncidentOpened(NamedTuple):
    """An outage begins. `decided_for` is the round that settled it, `error_code` and `reason` say what failed."""

    monitor_id: UUID
    failure_sequence: int
    started_at: datetime
    error_code: str | None
    reason: str
    in_maintenance: bool
    decided_for: datetime


class IncidentClosed(NamedTuple):
    """An outage ends."""

    monitor_id: UUID
    failure_sequence: int
    ended_at: datetime


IncidentChange = IncidentOpened | IncidentClosed

#: Failed results are about 15 kB each: of one round, this many are kept with their evidence and the others without it.
KEPT_WHOLE = 3

# The outage began with its first failed round. If that is not found, the round that was just decided is kept. Times are in
# the format of API.md.
_KEEP = """
WITH found AS (
    SELECT i.id AS incident_id, row_number() OVER (ORDER BY r.status = 'up', r.location) AS place, r.*
    FROM incidents i
    JOIN monitor_results r ON r.monitor_id = i.monitor_id AND r.scheduled_for = coalesce(
        (SELECT f.scheduled_for FROM monitor_results f
         WHERE f.monitor_id = i.monitor_id AND f.checked_at = i.started_at
           AND f.scheduled_for BETWEEN i.started_at - interval '1 hour' AND i.started_at + interval '1 minute'
         ORDER BY f.scheduled_for DESC LIMIT 1), %(decided_for)s)
    WHERE i.monitor_id = %(monitor)s AND i.failure_sequence = %(sequence)s AND i.evidence = '{}'
)
UPDATE incidents SET evidence = (
    SELECT jsonb_build_object(
        'scheduledFor', (to_json(min(f.scheduled_for) AT TIME ZONE 'UTC') #>> '{}') || 'Z',
        'locations', jsonb_agg(
            jsonb_build_object(
                'location', f.location, 'status', f.status,
                'checkedAt', (to_json(f.checked_at AT TIME ZONE 'UTC') #>> '{}') || 'Z',
                'responseTimeMs', f.response_time_ms, 'errorCode', f.error_code, 'errorMessage', f.error_message,
                'details', CASE WHEN f.place <= %(whole)s THEN f.details ELSE f.details - '{evidence,body}'::text[] END)
            ORDER BY f.place))
    FROM found f)
WHERE id IN (SELECT incident_id FROM found)
"""


def save(db: Db, changes: Iterable[IncidentChange]) -> None:
    """Open and close incidents, in this order of changes."""
    for change in changes:
        if isinstance(change, IncidentClosed):
            _close(db, change)
        else:
            _open(db, change)
            keep_evidence(db, change.monitor_id, change.failure_sequence, change.decided_for)


def _open(db: Db, opened: IncidentOpened) -> None:
    # It exists if the monitor fails again before its recovery alert was sent, or if the round is decided twice: reopen it.
    db.execute(
        "INSERT INTO incidents (id, monitor_id, failure_sequence, started_at, error_code, reason, in_maintenance)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (monitor_id, failure_sequence) DO UPDATE SET ended_at = NULL",
        [
            uuid4(),
            opened.monitor_id,
            opened.failure_sequence,
            opened.started_at,
            opened.error_code,
            opened.reason,
            opened.in_maintenance,
        ],
    )


def _close(db: Db, closed: IncidentClosed) -> None:
    db.execute(
        "UPDATE incidents SET ended_at = %s WHERE monitor_id = %s AND failure_sequence = %s AND ended_at IS NULL",
        [closed.ended_at, closed.monitor_id, closed.failure_sequence],
    )


def keep_evidence(db: Db, monitor_id: UUID, sequence: int, decided_for: datetime) -> None:
    """Store the results of the first failed round with its incident; doing it twice is the same as once.

    The format is `{scheduledFor, locations: [{location, status, checkedAt, responseTimeMs, errorCode, errorMessage,
    details}]}`. Failed locations come first; `details` are those of the result.
    """
    db.execute(_KEEP, {"monitor": monitor_id, "sequence": sequence, "decided_for": decided_for, "whole": KEPT_WHOLE})
