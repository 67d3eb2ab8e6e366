"""What there is for the sweep to do: one look instead of a dozen, for most of the time there is nothing."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from models.connections.database import Db


class Chores(NamedTuple):
    """Which kinds of work may be there; each True is worth a closer look."""

    alerts: bool
    deliveries: bool
    summaries: bool
    windows: bool
    resumed: bool


# Each EXISTS reads the first entry of a partial index that holds only what is undone.
_WAITING = """
SELECT EXISTS (SELECT FROM alerts WHERE planned_at IS NULL) AS alerts,
       EXISTS (SELECT FROM deliveries WHERE status IN ('pending', 'retrying')) AS deliveries,
       EXISTS (SELECT FROM storm_changes WHERE summary_id IS NULL) AS summaries,
       EXISTS (SELECT FROM maintenance_windows WHERE occurs_from <= %(now)s)
           OR EXISTS (SELECT FROM monitor_states WHERE pending_alert) AS windows,
       EXISTS (SELECT FROM notification_providers WHERE resumed_at IS NOT NULL) AS resumed
"""


def waiting(db: Db, now: datetime) -> Chores:
    """What may be there to do at `now`."""
    with db.cursor(row_factory=class_row(Chores)) as cursor:
        found = cursor.execute(_WAITING, {"now": now}).fetchone()
    assert found is not None, "a statement without a table answers one row"
    return found
