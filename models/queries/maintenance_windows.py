"""Maintenance windows: which monitors are in one at a given time, and where the windows move to."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db
from models.rules.coverage import holds_for
from models.rules.windows import Occurrence, Plan

#: The windows that are on at some time between `earliest` and `latest`: the body of a CTE. Two looks at two small
#: indexes, which are empty while there is no maintenance.
ON = """
    SELECT id, project_id, monitor_id, tag, listed, occurs_from AS begins, occurs_until AS ends FROM maintenance_windows
    WHERE occurs_from <= %(latest)s::timestamptz AND occurs_until > %(earliest)s::timestamptz
    UNION ALL
    SELECT id, project_id, monitor_id, tag, listed, occurred_from, occurred_until FROM maintenance_windows
    WHERE occurred_until > %(earliest)s::timestamptz AND occurred_from <= %(latest)s::timestamptz
"""
#: Whether the window `w` holds for the monitor `m`.
HOLDS_FOR = holds_for("w", "m")


class Turning(NamedTuple):
    """A window whose occurrence is over or nearly so, locked."""

    id: UUID
    starts_at: datetime | None
    cron_expression: str | None
    timezone: str
    duration_seconds: int
    occurs_from: datetime
    occurs_until: datetime

    @property
    def plan(self) -> Plan:
        """What its occurrences follow from."""
        return Plan(self.starts_at, self.cron_expression, self.timezone, timedelta(seconds=self.duration_seconds))

    @property
    def present(self) -> Occurrence:
        """What stands in the row."""
        return Occurrence(self.occurs_from, self.occurs_until)


_TURNING = """
SELECT id, starts_at, cron_expression, timezone, duration_seconds, occurs_from, occurs_until
FROM maintenance_windows
WHERE occurs_from <= %(now)s AND occurs_until <= %(soon)s
ORDER BY id LIMIT %(limit)s
FOR UPDATE SKIP LOCKED
"""

_MOVE_ON = """
UPDATE maintenance_windows SET occurred_from = occurs_from, occurred_until = occurs_until, occurs_from = %s, occurs_until = %s
WHERE id = %s
"""

# Monitors with an open round are left out: that round sends the alert, or is suppressed and leaves the alert pending.
# Rows that the check pipeline has locked follow with the next call.
_RELEASED = f"""
WITH windows AS MATERIALIZED ({ON})
SELECT s.monitor_id, m.type = 'heartbeat'
FROM monitor_states s JOIN monitors m ON m.id = s.monitor_id
WHERE s.pending_alert AND m.enabled AND s.open_scheduled_for IS NULL
  AND (m.muted_until IS NULL OR m.muted_until <= %(latest)s)
  AND NOT EXISTS (SELECT FROM windows w WHERE {HOLDS_FOR})
ORDER BY s.monitor_id LIMIT %(limit)s
FOR UPDATE OF s SKIP LOCKED
"""


def turning(db: Db, now: datetime, soon: datetime, limit: int = 500) -> list[Turning]:
    """The windows that are on at `now` and end by `soon`, and those that have ended; another scheduler passes over them."""
    with db.cursor(row_factory=class_row(Turning)) as cursor:
        return cursor.execute(_TURNING, {"now": now, "soon": soon, "limit": limit}).fetchall()


def extend(db: Db, window_id: UUID, until: datetime) -> None:
    """Have the present occurrence last until `until`."""
    db.execute("UPDATE maintenance_windows SET occurs_until = %s WHERE id = %s", [until, window_id])


def move_on(db: Db, window_id: UUID, coming: Occurrence | None) -> None:
    """Make the present occurrence the past one, and `coming` the present."""
    db.execute(_MOVE_ON, [*(coming or (None, None)), window_id])


def released(db: Db, now: datetime, limit: int = 1000) -> list[tuple[UUID, bool]]:
    """Return the monitors whose pending alert is no longer suppressed, and whether each is a heartbeat. Lock their states."""
    values = {"earliest": now, "latest": now, "limit": limit}
    return [(row[0], row[1]) for row in db.execute(_RELEASED, values)]


def check_now(db: Db, monitor_ids: list[UUID], now: datetime) -> None:
    """Make these monitors due at once, where their next slot comes later; what they owe follows from that round."""
    db.execute(
        "UPDATE monitor_states SET pending_alert = false, next_run_at = least(next_run_at, %s)"
        " WHERE monitor_id = ANY(%s) AND next_run_at IS NOT NULL",
        [now, monitor_ids],
    )
