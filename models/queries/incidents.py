"""What an outage began with, kept with its incident: results are removed one day, the story of an outage stays."""

from datetime import datetime
from uuid import UUID

from models.connections.database import Db

#: Answers that failed are some 15 kB each: so many of one round are kept whole, the others without their evidence.
KEPT_WHOLE = 3

# The first failed round is the one in which the outage began; where it is not to be found (an outage that was hidden
# for a while), the round that was just decided stands for it. Times as API.md writes them.
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


def keep_evidence(db: Db, monitor_id: UUID, sequence: int, decided_for: datetime) -> None:
    """Store the first failed round of a failure sequence with its incident; keeping it twice is the same as once.

    As `{scheduledFor, locations: [{location, status, checkedAt, responseTimeMs, errorCode, errorMessage, details}]}`:
    those that failed come first; `details` are those of the result.
    """
    db.execute(_KEEP, {"monitor": monitor_id, "sequence": sequence, "decided_for": decided_for, "whole": KEPT_WHOLE})
