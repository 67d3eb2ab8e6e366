"""Locations, for the scheduler."""

from collections.abc import Iterable

from models.connections.database import Db


def enabled_codes(db: Db) -> list[str]:
    """Return the codes of the enabled locations, the default one first."""
    rows = db.execute("SELECT code FROM locations WHERE enabled ORDER BY position, code")
    return [str(row[0]) for row in rows]


def record_seen(db: Db, codes: Iterable[str]) -> None:
    """Record that these locations have live workers now."""
    db.execute("UPDATE locations SET last_seen_at = now() WHERE code = ANY(%s)", [list(codes)])


def required_without_worker(db: Db, live: Iterable[str]) -> list[str]:
    """Return the enabled locations that an enabled monitor uses and that have no live worker."""
    rows = db.execute(
        """
        WITH ordered AS (SELECT code, row_number() OVER (ORDER BY position, code) AS place FROM locations WHERE enabled)
        SELECT o.code FROM ordered o
        WHERE NOT o.code = ANY(%s) AND EXISTS (
            SELECT FROM monitors m
            WHERE m.enabled AND m.type <> 'heartbeat'
              AND CASE WHEN coalesce((m.config->'locationConfig'->>'enabled')::bool, false)
                       THEN coalesce(jsonb_array_length(m.config->'locationConfig'->'locations'), 0) = 0
                            OR m.config->'locationConfig'->'locations' ? o.code
                       ELSE o.place = 1 END)
        """,
        [list(live)],
    )
    return [str(row[0]) for row in rows]
