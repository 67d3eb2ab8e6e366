"""Warnings of certificates that near their end: one for each threshold of each certificate of a monitor."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db
from models.queries import maintenance_windows


class Warned(NamedTuple):
    """The monitor whose certificate is warned of; `status` as people see it."""

    project_id: UUID
    name: str
    status: str


# While the monitor is hushed nothing is put on record: the worker says it again later, and then it is told.
# A threshold nearer to the end covers those before it: a certificate first seen a week before its end is told once.
_WARN = f"""
WITH windows AS MATERIALIZED ({maintenance_windows.ON}),
fresh AS (
    INSERT INTO certificate_warnings (monitor_id, fingerprint_sha256, threshold_days)
    SELECT m.id, %(fingerprint)s, %(threshold)s FROM monitors m
    WHERE m.id = %(monitor)s AND m.enabled AND (m.muted_until IS NULL OR m.muted_until <= %(latest)s)
      AND NOT EXISTS (SELECT FROM windows w WHERE {maintenance_windows.HOLDS_FOR})
      AND NOT EXISTS (SELECT FROM certificate_warnings w WHERE w.monitor_id = m.id
                      AND w.fingerprint_sha256 = %(fingerprint)s AND w.threshold_days <= %(threshold)s)
    ON CONFLICT DO NOTHING
    RETURNING monitor_id
)
SELECT m.project_id, m.name, CASE WHEN s.last_verdict = 'error' THEN 'error' ELSE s.status END AS status
FROM fresh JOIN monitors m ON m.id = fresh.monitor_id JOIN monitor_states s ON s.monitor_id = m.id
"""


def warn(db: Db, monitor_id: UUID, fingerprint: str, threshold: int, now: datetime) -> Warned | None:
    """Put the warning on record; None where one as near the end is there, or the monitor is gone, paused or hushed.

    `threshold` counts whole days, -1 once it has expired. Raises psycopg's errors.
    """
    with db.cursor(row_factory=class_row(Warned)) as cursor:
        wanted: dict[str, Any] = {"monitor": monitor_id, "fingerprint": fingerprint, "threshold": threshold}
        wanted |= {"earliest": now, "latest": now}
        return cursor.execute(_WARN, wanted).fetchone()
