"""Certificate warnings: one per threshold, certificate and monitor."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db
from models.queries import maintenance_windows


class WarnedMonitor(NamedTuple):
    """The monitor of a new warning; `status` is the status that pages show."""

    project_id: UUID
    name: str
    status: str


# While alerts of the monitor are muted or in maintenance, no warning is recorded: the worker repeats its message later,
# and the warning is sent then. A lower threshold covers the higher ones: a certificate that is first seen a week before
# it expires causes one warning.
_RECORD = f"""
WITH windows AS MATERIALIZED ({maintenance_windows.ON}),
recorded AS (
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
FROM recorded JOIN monitors m ON m.id = recorded.monitor_id JOIN monitor_states s ON s.monitor_id = m.id
"""


def record_warning(db: Db, monitor_id: UUID, fingerprint: str, threshold: int, now: datetime) -> WarnedMonitor | None:
    """Record the warning and return its monitor.

    Return None if an equal or lower threshold is recorded, or if the monitor is deleted, paused, muted or in maintenance.
    `threshold` is in whole days, -1 for an expired certificate. Raise psycopg's errors.
    """
    with db.cursor(row_factory=class_row(WarnedMonitor)) as cursor:
        values: dict[str, Any] = {"monitor": monitor_id, "fingerprint": fingerprint, "threshold": threshold}
        values |= {"earliest": now, "latest": now}
        return cursor.execute(_RECORD, values).fetchone()
