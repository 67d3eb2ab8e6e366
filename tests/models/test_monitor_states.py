"""The fields of `State` are columns of `monitor_states`, read and written as one value."""

from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

import psycopg
from sqlalchemy.dialects import postgresql

from models.connections.database import transaction
from models.queries import monitor_states
from models.rules.monitor_state import State
from models.tables import MonitorState
from tests import rows

Db = psycopg.Connection[Any]
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SHORT_NAMES = {
    "INTEGER": "int",
    "DOUBLE PRECISION": "float8",
    "BOOLEAN": "bool",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}
VALUES: dict[Any, Any] = {str: "text", int: 7, float: 12.5, bool: True, datetime: NOW}


def test_each_field_has_the_type_of_its_column() -> None:
    columns = MonitorState.__table__.columns
    types = {name: columns[name].type.compile(postgresql.dialect()) for name in monitor_states.COLUMNS}  # type: ignore[no-untyped-call]
    assert {name: SHORT_NAMES.get(kind, kind.lower()) for name, kind in types.items()} == monitor_states.COLUMNS


def test_a_saved_state_is_read_back_as_it_was(connection: Db) -> None:
    monitor = rows.a_monitor(connection, rows.a_project(connection))
    values = {
        name: next(value for kind, value in VALUES.items() if kind is hint or kind in get_args(hint))
        for name, hint in get_type_hints(State).items()
    }
    state = State(**{**values, "status": "down"})
    with transaction() as db:
        assert monitor_states.lock_snapshots(db, [monitor], NOW, NOW)[monitor].state.status == "pending"
        monitor_states.save(db, {monitor: state})
    with transaction() as db:
        assert monitor_states.lock_snapshots(db, [monitor], NOW, NOW)[monitor].state == state
