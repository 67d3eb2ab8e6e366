"""Results: one statement stores a group of them and adds them to the hourly rollups."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.connections.database import Db
from models.queries import maintenance_windows
from models.rules import histogram


@dataclass(slots=True)
class ResultRow:
    """A row to store: see `models.tables.MonitorResult`. `expected` is None if `location` is the only one of the round."""

    id: UUID
    scheduled_for: datetime
    monitor_id: UUID
    checked_at: datetime
    location: str | None
    expected: Sequence[str] | None
    status: str
    response_time_ms: float | None
    error_code: str | None
    error_message: str | None
    details: dict[str, Any]


# Only rows that the insert returns are summed, so existing rows are not summed twice. Rounds in a maintenance window are
# marked and not summed; if no window is active, the check costs nothing per row. The statement increments one bucket of
# the histogram in place, so it must not touch a rollup row twice: see `_waves`.
_STORE = f"""
WITH windows AS MATERIALIZED ({maintenance_windows.ON}),
fresh AS (
    INSERT INTO monitor_results (id, scheduled_for, monitor_id, checked_at, location, expected_locations, status,
                                 response_time_ms, error_code, error_message, details)
    SELECT id, scheduled_for, monitor_id, checked_at, location, string_to_array(expected, ','), status,
           response_time_ms, error_code, error_message,
           CASE WHEN EXISTS (SELECT FROM windows)
                     AND EXISTS (SELECT FROM windows w JOIN monitors m ON {maintenance_windows.HOLDS_FOR}
                                 WHERE m.id = v.monitor_id AND w.begins <= v.scheduled_for AND v.scheduled_for < w.ends)
                THEN details::jsonb || '{{"maintenance": true}}' ELSE details::jsonb END
    FROM unnest(%(id)b::uuid[], %(scheduled_for)b::timestamptz[], %(monitor_id)b::uuid[], %(checked_at)b::timestamptz[],
                %(location)b::text[], %(expected)b::text[], %(status)b::text[], %(response_time_ms)b::float8[],
                %(error_code)b::text[], %(error_message)b::text[], %(details)b::text[])
         AS v(id, scheduled_for, monitor_id, checked_at, location, expected, status,
              response_time_ms, error_code, error_message, details)
    ON CONFLICT (id, scheduled_for) DO NOTHING
    RETURNING monitor_id, date_trunc('hour', scheduled_for) AS hour, coalesce(location, '') AS location, status,
              CASE WHEN status = 'up' THEN response_time_ms::float8 END AS ms,
              EXISTS (SELECT FROM windows) AND details ? 'maintenance' AS planned
)
INSERT INTO monitor_rollups_hourly AS r (monitor_id, hour, location, up, down, error, response_count, response_sum,
                                         response_min, response_max, histogram)
SELECT monitor_id, hour, location, (status = 'up')::int, (status = 'down')::int, (status = 'error')::int,
       (ms IS NOT NULL)::int, coalesce(ms, 0), ms, ms,
       CASE WHEN ms IS NULL THEN array_fill(0, ARRAY[60]) ELSE histogram_of(ms) END
FROM fresh WHERE NOT planned ORDER BY monitor_id, hour, location
ON CONFLICT (monitor_id, hour, location) DO UPDATE SET
    up = r.up + EXCLUDED.up, down = r.down + EXCLUDED.down, error = r.error + EXCLUDED.error,
    response_count = r.response_count + EXCLUDED.response_count, response_sum = r.response_sum + EXCLUDED.response_sum,
    response_min = least(r.response_min, EXCLUDED.response_min), response_max = greatest(r.response_max, EXCLUDED.response_max),
    histogram[histogram_bucket(EXCLUDED.response_sum) + 1] =
        r.histogram[histogram_bucket(EXCLUDED.response_sum) + 1] + EXCLUDED.response_count
"""


def _waves(rows: Iterable[ResultRow]) -> list[list[ResultRow]]:
    """Split the rows into the fewest groups that contain each (monitor, location) once; nearly always one group."""
    waves: list[list[ResultRow]] = []
    seen: dict[tuple[UUID, str | None], int] = {}
    for row in rows:
        key = (row.monitor_id, row.location)
        wave = seen.get(key, 0)
        seen[key] = wave + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(row)
    return waves


def _storable(text: str | None) -> str | None:
    """Return `text` without NUL characters and unpaired surrogates, which PostgreSQL does not store."""
    return None if text is None else text.replace("\0", "").encode("utf-8", "ignore").decode()


def _json(details: dict[str, Any]) -> str:
    """Return `details` as JSON that PostgreSQL stores. Only texts with suspicious escapes are cleaned."""
    text = json.dumps(details, separators=(",", ":"), allow_nan=False)
    if "\\u0000" in text or "\\ud" in text:
        text = json.dumps(_cleaned(details), separators=(",", ":"))
    return text


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, dict):
        return {_storable(key): _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list | tuple) else value


def store(db: Db, rows: Iterable[ResultRow]) -> None:
    """Insert the rows that do not exist yet and add them to their hourly rollups. Raise psycopg's errors.

    Targets control parts of the texts. Characters that PostgreSQL does not store are removed.
    """
    for wave in _waves(rows):
        db.execute(
            _STORE,
            {
                "earliest": min(row.scheduled_for for row in wave),
                "latest": max(row.scheduled_for for row in wave),
                "id": [row.id for row in wave],
                "scheduled_for": [row.scheduled_for for row in wave],
                "monitor_id": [row.monitor_id for row in wave],
                "checked_at": [row.checked_at for row in wave],
                "location": [row.location for row in wave],
                "expected": [None if row.expected is None else ",".join(row.expected) for row in wave],
                "status": [row.status for row in wave],
                "response_time_ms": [row.response_time_ms for row in wave],
                "error_code": [row.error_code for row in wave],
                "error_message": [_storable(row.error_message) for row in wave],
                "details": [_json(row.details) for row in wave],
            },
        )


assert histogram.BUCKETS == 60, "the database function histogram_of uses the same buckets"
