"""Which monitors a maintenance window holds for: every place that asks has the same answer."""

import importlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.connections.database import transaction
from models.queries import maintenance_windows, monitor_states
from models.tables import MaintenanceWindow, Monitor, MonitorState, Project, shown_status_expression
from tests import factories, rows
from web.features.maintenance_windows import scope as window_scope
from web.http.auth import Caller
from web.http.extensions import db

Db = psycopg.Connection[Any]
HOUR = timedelta(hours=1)
TAGS = ["a", "b"]
MONITORS = 3
FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
#: A scope: a tag, numbers of monitors, or None for the whole project; "old" is the row of a process without lists.
scopes = st.one_of(
    st.sampled_from(TAGS).map(lambda tag: ("tag", tag)),
    st.sets(st.integers(0, MONITORS - 1)).map(lambda chosen: ("list", frozenset(chosen))),
    st.integers(0, MONITORS - 1).map(lambda number: ("old", number)),
    st.just(("project", None)),
)
carried = st.lists(st.sets(st.sampled_from(TAGS)), min_size=MONITORS, max_size=MONITORS)


def expected(scope: tuple[str, Any], tags: list[set[str]]) -> set[int]:
    """The numbers of the monitors that a window of this scope holds for."""
    kind, what = scope
    if kind == "tag":
        return {number for number in range(MONITORS) if what in tags[number]}
    return {"list": what, "old": {what}, "project": set(range(MONITORS))}[kind]  # type: ignore[no-any-return]


def window_of(project: Project, ids: list[UUID], scope: tuple[str, Any]) -> MaintenanceWindow:
    kind, what = scope
    if kind == "list":
        return factories.a_window(project, monitors=[ids[number] for number in sorted(what)])
    if kind == "old":
        return factories.a_window(project, monitor_id=ids[what])
    return factories.a_window(project, tag=what)


@pytest.fixture
def stranger(context: None) -> UUID:
    """A monitor of another project, which no window here may hold for."""
    return factories.a_monitor(factories.a_project(name="Elsewhere"), tags=TAGS).id


def test_every_place_has_the_same_answer(connection: Db, stranger: UUID) -> None:
    project = factories.a_project()
    who = Caller.__new__(Caller)
    object.__setattr__(who, "project_id", project.id)
    ids = [factories.a_monitor(project).id for _ in range(MONITORS)]
    project_id = project.id

    @FEW
    @given(scope=scopes, tags=carried)
    def agree(scope: tuple[str, Any], tags: list[set[str]]) -> None:
        connection.execute("DELETE FROM maintenance_windows")
        for number, monitor_id in enumerate(ids):
            connection.execute("UPDATE monitors SET tags = %s WHERE id = %s", [list(tags[number]), monitor_id])
        db.session.rollback()
        window = window_of(db.session.get_one(Project, project_id), ids, scope)
        wanted = {ids[number] for number in expected(scope, tags)}
        now = datetime.now(UTC)
        with transaction() as own:
            snapshots = monitor_states.lock_snapshots(own, [*ids, stranger], now, now)
        assert {one for one, snapshot in snapshots.items() if snapshot.windows} == wanted, "the pipeline"
        marks = connection.execute("SELECT id FROM monitors WHERE maintenance_mark(id, now()) <> '{}'").fetchall()
        assert {row[0] for row in marks} == wanted, "pings"
        shown = db.session.scalars(db.select(Monitor.id).where(Monitor.maintenance_until.is_not(None)))
        assert set(shown) == wanted, "the end that pages show"
        states = db.select(Monitor.id).join(MonitorState).where(shown_status_expression() == "maintenance")
        assert set(db.session.scalars(states)) == wanted, "the status in lists"
        assert window_scope.covered(window) == len(wanted), "the summary of the form"
        asked = {
            one
            for one in [*ids, stranger]
            if db.session.scalar(db.select(MaintenanceWindow.id).where(window_scope.holding_for(who, one)))
        }
        assert asked == wanted, "the filter of the list"

    agree()


def test_the_results_of_a_listed_monitor_are_marked_and_those_of_others_are_not(connection: Db) -> None:
    project = rows.a_project(connection)
    listed, other = rows.a_monitor(connection, project), rows.a_monitor(connection, project)
    at = datetime(2026, 5, 4, 12, 10, tzinfo=UTC)
    window = rows.a_window(connection, project, at, at + HOUR, listed=True)
    connection.execute("INSERT INTO maintenance_window_monitors VALUES (%s, %s)", [window, listed])
    for monitor in (listed, other):
        rows.a_result(connection, monitor, at)
    found = connection.execute("SELECT monitor_id, details ? 'maintenance' FROM monitor_results").fetchall()
    assert dict(found) == {listed: True, other: False}  # type: ignore[arg-type]
    connection.execute("UPDATE monitor_states SET pending_alert = true")
    with transaction() as own:
        assert [one for one, _ in maintenance_windows.released(own, at)] == [other]


def test_the_migration_puts_the_monitor_of_a_window_on_its_list(connection: Db) -> None:
    project = rows.a_project(connection)
    monitor = rows.a_monitor(connection, project)
    at = datetime.now(UTC)
    one = rows.a_window(connection, project, at, at + HOUR, monitor)
    rows.a_window(connection, project, at, at + HOUR, tag="a")
    rows.a_window(connection, project, at, at + HOUR)
    migration = importlib.import_module("migrations.versions.0022_monitors_of_windows")
    for statement in (migration.FILL, migration.MARK) * 2:
        connection.execute(statement)
    assert connection.execute("SELECT window_id, monitor_id FROM maintenance_window_monitors").fetchall() == [
        (one, monitor)
    ]
    listed = connection.execute("SELECT id FROM maintenance_windows WHERE listed").fetchall()
    assert listed == [(one,)]
