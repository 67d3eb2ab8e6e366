"""Which kinds of work are pending for the sweep: one query instead of a dozen, because usually there is none."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from models.connections.database import Db


class PendingWork(NamedTuple):
    """The kinds of work that may be pending. The sweep runs the queries of a kind only if it is True."""

    alerts: bool
    deliveries: bool
    summaries: bool
    windows: bool
    resumed: bool


# Each EXISTS reads the first entry of a partial index that contains only pending rows.
_PENDING = """
SELECT EXISTS (SELECT FROM alerts WHERE planned_at IS NULL) AS alerts,
       EXISTS (SELECT FROM deliveries WHERE status IN ('pending', 'retrying')) AS deliveries,
       EXISTS (SELECT FROM storm_changes WHERE summary_id IS NULL) AS summaries,
       EXISTS (SELECT FROM maintenance_windows WHERE occurs_from <= %(now)s)
           OR EXISTS (SELECT FROM monitor_states WHERE pending_alert) AS windows,
       EXISTS (SELECT FROM notification_providers WHERE resumed_at IS NOT NULL) AS resumed
"""


def find(db: Db, now: datetime) -> PendingWork:
    """Return the kinds of work that may be pending at `now`."""
    with db.cursor(row_factory=class_row(PendingWork)) as cursor:
        row = cursor.execute(_PENDING, {"now": now}).fetchone()
    assert row is not None, "a SELECT without FROM returns one row"
    return row
