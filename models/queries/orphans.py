"""Rows to remove: results of deleted monitors, which have no foreign key for the sake of speed, and expired rows."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from models.connections.database import Db

BATCH = 5_000
#: Table -> the columns of its primary key.
TABLES = {
    "monitor_results": "id, scheduled_for",
    "monitor_rollups_hourly": "monitor_id, hour, location",
    "monitor_rollups_daily": "monitor_id, day, location",
    "heartbeat_pings": "id",
}


def deleted_monitors(db: Db, table: str) -> list[UUID]:
    """Return the deleted monitors of which `table` still has rows.

    The query steps through the index from monitor to monitor: reading every row would take longer each day.
    """
    rows = db.execute(
        f"""
        WITH RECURSIVE present AS (
            (SELECT monitor_id FROM {table} ORDER BY monitor_id LIMIT 1)
            UNION ALL
            SELECT (SELECT t.monitor_id FROM {table} t WHERE t.monitor_id > p.monitor_id ORDER BY t.monitor_id LIMIT 1)
            FROM present p WHERE p.monitor_id IS NOT NULL)
        SELECT monitor_id FROM present p
        WHERE monitor_id IS NOT NULL AND NOT EXISTS (SELECT FROM monitors m WHERE m.id = p.monitor_id)
        """
    )
    return [row[0] for row in rows]


def remove(db: Db, table: str, monitor_ids: Sequence[UUID]) -> int:
    """Remove up to `BATCH` of these monitors' rows from `table`. Return the number removed."""
    keys = TABLES[table]
    return db.execute(
        f"DELETE FROM {table} WHERE ({keys}) IN (SELECT {keys} FROM {table} WHERE monitor_id = ANY(%s) LIMIT {BATCH})",
        [list(monitor_ids)],
    ).rowcount


def remove_idempotency_keys(db: Db) -> int:
    """Remove the idempotency keys that are older than a day. Return the number removed."""
    return db.execute("DELETE FROM idempotency_keys WHERE created_at < now() - interval '1 day'").rowcount


def remove_sessions(db: Db, idle: timedelta, longest: timedelta) -> int:
    """Remove the sessions unused for `idle` or older than `longest`. Return the number removed."""
    return db.execute(
        "DELETE FROM user_sessions WHERE seen_at < now() - %s OR created_at < now() - %s", (idle, longest)
    ).rowcount
