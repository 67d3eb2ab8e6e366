"""The states of monitors while their rounds are decided: lock, read and write them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, get_args, get_type_hints
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import RowMaker
from psycopg.types.range import Range

from models.connections.database import Db
from models.queries import maintenance_windows
from models.rules.monitor_state import State

_SQL_TYPES = {str: "text", int: "int", float: "float8", bool: "bool", datetime: "timestamptz"}


def _sql_type(annotation: Any) -> str:
    return _SQL_TYPES[next(kind for kind in (annotation, *get_args(annotation)) if kind in _SQL_TYPES)]


#: Column of `monitor_states` -> its PostgreSQL type, for every field of `State`. SELECT and UPDATE follow from it.
COLUMNS: Mapping[str, str] = {name: _sql_type(kind) for name, kind in get_type_hints(State).items()}


class MonitorSnapshot(NamedTuple):
    """A monitor's configuration and its locked state, as far as deciding a round needs them."""

    monitor_id: UUID
    project_id: UUID
    name: str
    type: str
    #: `locationConfig`.
    locations: dict[str, Any] | None
    failure_threshold: int
    recovery_threshold: int
    enabled: bool
    muted_until: datetime | None
    alerts_enabled: bool
    alert_on_failure: bool
    #: Whether the monitor has an enabled notification provider.
    has_provider: bool
    next_run_at: datetime | None
    open_expected: list[str] | None
    open_deadline: datetime | None
    #: The maintenance windows that cover some time between `earliest` and `latest` of `lock_snapshots`.
    windows: list[Range[datetime]]
    state: State


#: Field of `MonitorSnapshot` -> the SQL expression that it is read from; `state` follows from `COLUMNS`.
_SOURCES = {
    "monitor_id": "m.id",
    "project_id": "m.project_id",
    "name": "m.name",
    "type": "m.type",
    "locations": "m.config->'locationConfig'",
    "failure_threshold": "m.failure_threshold",
    "recovery_threshold": "m.recovery_threshold",
    "enabled": "m.enabled",
    "muted_until": "m.muted_until",
    "alerts_enabled": "m.alerts_enabled",
    "alert_on_failure": "m.alert_on_failure",
    "has_provider": """EXISTS (
        SELECT FROM monitor_notification_settings n JOIN notification_providers p ON p.id = n.provider_id
        WHERE n.monitor_id = m.id AND p.enabled)""",
    "next_run_at": "s.next_run_at",
    "open_expected": "s.open_expected",
    "open_deadline": "s.open_deadline",
    "windows": f"""ARRAY(
        SELECT tstzrange(w.begins, w.ends) FROM windows w WHERE {maintenance_windows.HOLDS_FOR})""",
}

_SNAPSHOTS = f"""
WITH windows AS MATERIALIZED ({maintenance_windows.ON})
SELECT {", ".join([*_SOURCES.values(), *(f"s.{column}" for column in COLUMNS)])}
FROM monitor_states s JOIN monitors m ON m.id = s.monitor_id
WHERE s.monitor_id = ANY(%(ids)s)
ORDER BY s.monitor_id
FOR UPDATE OF s
"""

_SAVE = f"""
UPDATE monitor_states s
SET {", ".join(f"{column} = v.{column}" for column in COLUMNS)},
    open_expected = CASE WHEN v.open_scheduled_for IS NULL THEN NULL ELSE s.open_expected END,
    open_deadline = CASE WHEN v.open_scheduled_for IS NULL THEN NULL ELSE s.open_deadline END
FROM unnest(%(monitor_id)b::uuid[], {", ".join(f"%({column})b::{kind}[]" for column, kind in COLUMNS.items())})
     AS v(monitor_id, {", ".join(COLUMNS)})
WHERE s.monitor_id = v.monitor_id
"""


def _snapshot(values: Sequence[Any]) -> MonitorSnapshot:
    monitor, state = values[: len(_SOURCES)], values[len(_SOURCES) :]
    return MonitorSnapshot(**dict(zip(_SOURCES, monitor, strict=True)), state=State(*state))


def _as_snapshots(_cursor: Cursor[Any]) -> RowMaker[MonitorSnapshot]:
    return _snapshot


def lock_snapshots(
    db: Db, monitor_ids: Iterable[UUID], earliest: datetime, latest: datetime
) -> dict[UUID, MonitorSnapshot]:
    """Return the snapshots of those monitors that still exist.

    Their states are locked in a fixed order, so that two batches cannot deadlock. Each snapshot has the maintenance windows
    that cover some time between `earliest` and `latest`.
    """
    values = {"ids": list(monitor_ids), "earliest": earliest, "latest": latest}
    with db.cursor(row_factory=_as_snapshots) as cursor:
        return {snapshot.monitor_id: snapshot for snapshot in cursor.execute(_SNAPSHOTS, values)}


def save(db: Db, states: Mapping[UUID, State]) -> None:
    """Write the state of each monitor id."""
    if states:
        values: dict[str, list[Any]] = {"monitor_id": list(states)}
        values |= {column: [getattr(state, column) for state in states.values()] for column in COLUMNS}
        db.execute(_SAVE, values)


def recheck(db: Db, monitor_ids: Sequence[UUID], at: datetime) -> None:
    """Schedule a check of these monitors at `at` if their next one is later. Save their decision first.

    Paused monitors stay paused. A heartbeat that was pinged since the decision keeps its new deadline.
    """
    if monitor_ids:
        db.execute(
            "UPDATE monitor_states SET next_run_at = %s WHERE monitor_id = ANY(%s) AND next_run_at > %s"
            " AND (last_ping_at IS NULL OR last_ping_at <= decided_for)",
            [at, list(monitor_ids), at],
        )
