"""Whether pings could be accepted: the mark that web processes renew, and the heartbeats that a gap affects."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db

_ROLE = "web"


class WaitingHeartbeat(NamedTuple):
    """A heartbeat with a deadline; its state is locked."""

    monitor_id: UUID
    due: datetime
    config: dict[str, Any]


class NewDeadline(NamedTuple):
    """The deadline that a heartbeat gets."""

    monitor_id: UUID
    due: datetime


def renew(db: Db, now: datetime, oldest: datetime) -> bool:
    """Record that pings are accepted at `now`. Return False, and record nothing, if the mark is older than `oldest`."""
    statement = "UPDATE ping_intake SET seen_at = greatest(seen_at, %s) WHERE role = %s AND seen_at >= %s"
    return db.execute(statement, [now, _ROLE, oldest]).rowcount == 1


def restart(db: Db, now: datetime) -> datetime | None:
    """Record that pings are accepted again since `now`. Return the previous mark, None if there was none."""
    row = db.execute("SELECT seen_at FROM ping_intake WHERE role = %s FOR UPDATE", [_ROLE]).fetchone()
    db.execute(
        "INSERT INTO ping_intake (role, since, seen_at) VALUES (%(role)s, %(now)s, %(now)s)"
        " ON CONFLICT (role) DO UPDATE SET since = excluded.since, seen_at = excluded.seen_at",
        {"role": _ROLE, "now": now},
    )
    return None if row is None else row[0]


def last_seen(db: Db) -> datetime | None:
    """Return when pings were last known to be accepted, None if no web process has left a mark yet."""
    row = db.execute("SELECT seen_at FROM ping_intake WHERE role = %s", [_ROLE]).fetchone()
    return None if row is None else row[0]


def due_after(db: Db, moment: datetime) -> list[WaitingHeartbeat]:
    """Return the heartbeats with a deadline at or after `moment`, locked in a fixed order."""
    with db.cursor(row_factory=class_row(WaitingHeartbeat)) as cursor:
        return cursor.execute(
            "SELECT s.monitor_id, s.next_run_at AS due, m.config FROM monitor_states s"
            " JOIN monitors m ON m.id = s.monitor_id AND m.type = 'heartbeat' AND m.enabled"
            " WHERE s.next_run_at >= %s ORDER BY s.monitor_id FOR UPDATE OF s",
            [moment],
        ).fetchall()


def move_deadlines(db: Db, deadlines: Sequence[NewDeadline], code: str, message: str) -> None:
    """Move deadlines. A monitor that is not down also gets the error `code` and `message`: its job's state is unknown."""
    db.execute(
        "UPDATE monitor_states s SET next_run_at = v.due,"
        " last_verdict = CASE WHEN s.status = 'down' THEN s.last_verdict ELSE 'error' END,"
        " last_error_code = CASE WHEN s.status = 'down' THEN s.last_error_code ELSE %(code)s END,"
        " last_error_message = CASE WHEN s.status = 'down' THEN s.last_error_message ELSE %(message)s END"
        " FROM unnest(%(ids)s::uuid[], %(dues)s::timestamptz[]) AS v(monitor_id, due)"
        " WHERE s.monitor_id = v.monitor_id",
        {
            "ids": [deadline.monitor_id for deadline in deadlines],
            "dues": [deadline.due for deadline in deadlines],
            "code": code,
            "message": message,
        },
    )
