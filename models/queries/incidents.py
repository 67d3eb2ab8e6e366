"""What an outage began with, kept with its incident: results are removed one day, the story of an outage stays."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.database import Db

#: Answers that failed are some 15 kB each: so many of one round are kept whole, the others without their evidence.
KEPT_WHOLE = 3


class Found(NamedTuple):
    """One location's result of the first failed round."""

    scheduled_for: datetime
    location: str | None
    status: str
    checked_at: datetime
    response_time_ms: float | None
    error_code: str | None
    error_message: str | None
    details: dict[str, Any]


# The first failed round is the one in which the outage began; where it is not to be found (an outage that was hidden
# for a while), the round that was just decided stands for it.
_FIRST_ROUND = """
SELECT r.scheduled_for, r.location, r.status, r.checked_at, r.response_time_ms, r.error_code, r.error_message, r.details
FROM incidents i
JOIN monitor_results r ON r.monitor_id = i.monitor_id AND r.scheduled_for = coalesce(
    (SELECT f.scheduled_for FROM monitor_results f
     WHERE f.monitor_id = i.monitor_id AND f.checked_at = i.started_at
       AND f.scheduled_for BETWEEN i.started_at - interval '1 hour' AND i.started_at + interval '1 minute'
     ORDER BY f.scheduled_for DESC LIMIT 1), %(decided_for)s)
WHERE i.monitor_id = %(monitor)s AND i.failure_sequence = %(sequence)s AND i.evidence = '{}'
ORDER BY r.status = 'up', r.location
"""


def keep_evidence(db: Db, monitor_id: UUID, sequence: int, decided_for: datetime) -> None:
    """Store the first failed round of a failure sequence with its incident; keeping it twice is the same as once."""
    with db.cursor(row_factory=class_row(Found)) as cursor:
        rows = cursor.execute(
            _FIRST_ROUND, {"monitor": monitor_id, "sequence": sequence, "decided_for": decided_for}
        ).fetchall()
    if rows:
        db.execute(
            "UPDATE incidents SET evidence = %s WHERE monitor_id = %s AND failure_sequence = %s",
            [json.dumps(evidence(rows)), monitor_id, sequence],
        )


def evidence(rows: list[Found]) -> dict[str, Any]:
    """`{scheduledFor, locations: [{location, status, checkedAt, responseTimeMs, errorCode, errorMessage, details}]}`.

    Those that failed come first; `details` are those of the result.
    """
    return {
        "scheduledFor": _time(rows[0].scheduled_for),
        "locations": [
            {
                "location": row.location,
                "status": row.status,
                "checkedAt": _time(row.checked_at),
                "responseTimeMs": row.response_time_ms,
                "errorCode": row.error_code,
                "errorMessage": row.error_message,
                "details": row.details if place < KEPT_WHOLE else _without_evidence(row.details),
            }
            for place, row in enumerate(rows)
        ],
    }


def _without_evidence(details: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if name not in {"evidence", "body"}}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
