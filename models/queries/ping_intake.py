"""Whether pings could be taken: the mark that a web process leaves, and the heartbeats that an absence concerns."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db

_ROLE = "web"


class Waiting(NamedTuple):
    """A heartbeat with a deadline, locked."""

    monitor_id: UUID
    due: datetime
    config: dict[str, Any]


class Moved(NamedTuple):
    """Where the deadline of a heartbeat goes."""

    monitor_id: UUID
    due: datetime


def seen(db: Db, now: datetime, since_at_least: datetime) -> bool:
    """Note that somebody takes pings now; False, and nothing noted, where the mark is older than `since_at_least`."""
    statement = "UPDATE attendance SET seen_at = greatest(seen_at, %s) WHERE role = %s AND seen_at >= %s"
    return db.execute(statement, [now, _ROLE, since_at_least]).rowcount == 1


def returned(db: Db, now: datetime) -> datetime | None:
    """Note that somebody takes pings again, and answer when that was last so; None where it never was."""
    row = db.execute("SELECT seen_at FROM attendance WHERE role = %s FOR UPDATE", [_ROLE]).fetchone()
    db.execute(
        "INSERT INTO attendance (role, since, seen_at) VALUES (%(role)s, %(now)s, %(now)s)"
        " ON CONFLICT (role) DO UPDATE SET since = excluded.since, seen_at = excluded.seen_at",
        {"role": _ROLE, "now": now},
    )
    return None if row is None else row[0]


def last_seen(db: Db) -> datetime | None:
    """When somebody certainly took pings; None where nobody ever said so."""
    row = db.execute("SELECT seen_at FROM attendance WHERE role = %s", [_ROLE]).fetchone()
    return None if row is None else row[0]


def due_after(db: Db, moment: datetime) -> list[Waiting]:
    """The heartbeats whose deadline lies at or after `moment`, locked in one order."""
    with db.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            "SELECT s.monitor_id, s.next_run_at AS due, m.config FROM monitor_states s"
            " JOIN monitors m ON m.id = s.monitor_id AND m.type = 'heartbeat' AND m.enabled"
            " WHERE s.next_run_at >= %s ORDER BY s.monitor_id FOR UPDATE OF s",
            [moment],
        ).fetchall()


def move(db: Db, moves: Sequence[Moved], code: str, message: str) -> None:
    """Move deadlines; where the job was not known to be down, say why nothing is known now."""
    db.execute(
        "UPDATE monitor_states s SET next_run_at = v.due,"
        " last_verdict = CASE WHEN s.status = 'down' THEN s.last_verdict ELSE 'error' END,"
        " last_error_code = CASE WHEN s.status = 'down' THEN s.last_error_code ELSE %(code)s END,"
        " last_error_message = CASE WHEN s.status = 'down' THEN s.last_error_message ELSE %(message)s END"
        " FROM unnest(%(ids)s::uuid[], %(dues)s::timestamptz[]) AS v(monitor_id, due)"
        " WHERE s.monitor_id = v.monitor_id",
        {
            "ids": [one.monitor_id for one in moves],
            "dues": [one.due for one in moves],
            "code": code,
            "message": message,
        },
    )
