"""Rows for tests of the pipeline, written with plain SQL: the pipeline does without the object mapper, and so do its tests."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from models.secrets import encryption, fields

Connection = psycopg.Connection[Any]


def a_project(db: Connection) -> UUID:
    organization, project = uuid4(), uuid4()
    db.execute("INSERT INTO organizations (id, name) VALUES (%s, 'Example Ltd')", [organization])
    db.execute("INSERT INTO projects (id, organization_id, name) VALUES (%s, %s, 'Website')", [project, organization])
    return project


def a_location(db: Connection, code: str = "us-east", position: int = 0, enabled: bool = True) -> str:
    db.execute(
        "INSERT INTO locations (code, name, position, enabled) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [code, code, position, enabled],
    )
    return code


def a_monitor(
    db: Connection,
    project: UUID,
    target: str = "http://127.0.0.1:9/",
    *,
    type: str = "http_request",
    config: dict[str, Any] | None = None,
    due: datetime | None = None,
    interval: int = 60,
    state: dict[str, Any] | None = None,
    **columns: Any,
) -> UUID:
    """A monitor and its state; due now unless `due` says otherwise."""
    monitor: UUID = columns.pop("id", None) or uuid4()
    values = {
        "id": monitor,
        "project_id": project,
        "name": "Shop",
        "type": type,
        "target": target,
        "interval_seconds": interval,
        "config": json.dumps(config or {}),
        **columns,
    }
    _insert(db, "monitors", values)
    _insert(
        db,
        "monitor_states",
        {"monitor_id": monitor, "next_run_at": due or datetime.now(UTC) - timedelta(milliseconds=1), **(state or {})},
    )
    return monitor


def a_heard_monitor(db: Connection, project: UUID, *target: str, **values: Any) -> UUID:
    """A monitor as `a_monitor` makes it, with a webhook that receives its alerts."""
    monitor = a_monitor(db, project, *target, **values)
    a_provider(db, project, "http://127.0.0.1:9/", monitor)
    return monitor


def a_provider(
    db: Connection, project: UUID, url: str, monitor: UUID | None = None, type: str = "webhook", **columns: Any
) -> UUID:
    """A webhook provider, or another one that posts to a URL; notified about `monitor` if one is given."""
    provider = uuid4()
    public, hidden = fields.split(type, {"url" if type == "webhook" else "webhookUrl": url})
    values = {
        "id": provider,
        "project_id": project,
        "name": "Hook",
        "type": type,
        "config": json.dumps(public),
        "secrets": encryption.encrypt(hidden, "notification_providers", provider),
        **columns,
    }
    _insert(db, "notification_providers", values)
    if monitor is not None:
        _insert(db, "monitor_notification_settings", {"monitor_id": monitor, "provider_id": provider})
    return provider


def _insert(db: Connection, table: str, values: dict[str, Any]) -> None:
    places = ", ".join(["%s"] * len(values))
    db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", list(values.values()))


def a_result(
    db: Connection,
    monitor: UUID,
    scheduled: datetime,
    status: str = "up",
    location: str | None = "us-east",
    expected: list[str] | None = None,
    **values: Any,
) -> None:
    """One location's result, stored as a worker stores it. `expected` is None if the location stands alone."""
    from models.connections.database import transaction
    from models.queries import results
    from models.rules.round_ids import result_id

    row = results.ResultRow(
        **{
            "id": result_id(monitor, scheduled, location),
            "scheduled_for": scheduled,
            "monitor_id": monitor,
            "checked_at": scheduled,
            "location": location,
            "expected": expected,
            "status": status,
            "response_time_ms": None if status == "error" else 20.0,
            "error_code": None if status == "up" else "CONNECTION_REFUSED",
            "error_message": None if status == "up" else "No one answers.",
            "details": {},
            **values,
        }
    )
    with transaction() as own:
        results.store(own, [row])


def an_open_round(
    db: Connection,
    monitor: UUID,
    scheduled: datetime,
    expected: list[str] | None = None,
    deadline: datetime | None = None,
) -> None:
    """Open a round as the claim does; its deadline lies a minute ahead unless `deadline` says otherwise."""
    db.execute(
        "UPDATE monitor_states SET open_scheduled_for = %s, open_expected = %s, open_deadline = %s WHERE monitor_id = %s",
        [
            scheduled,
            ["us-east"] if expected is None else expected,
            deadline or datetime.now(UTC) + timedelta(minutes=1),
            monitor,
        ],
    )


def state(db: Connection, monitor: UUID) -> dict[str, Any]:
    """The monitor's whole state row."""
    cursor = db.execute("SELECT * FROM monitor_states WHERE monitor_id = %s", [monitor])
    row = cursor.fetchone()
    assert row is not None
    assert cursor.description is not None
    return {column.name: value for column, value in zip(cursor.description, row, strict=True)}


def value(db: Connection, query: str, *values: Any) -> Any:
    """The first column of the first row."""
    row = db.execute(query, values).fetchone()
    assert row is not None
    return row[0]


def an_alert(db: Connection, project: UUID, monitor: UUID | None, **columns: Any) -> UUID:
    """A failure alert in the outbox that is not decided yet."""
    alert = uuid4()
    standard = {
        "id": alert,
        "project_id": project,
        "monitor_id": monitor,
        "monitor_name": "Shop",
        "type": "monitor.down",
        "failure_sequence": 1,
        "alert_number": 1,
        "reason": "No one answers.",
        "context": json.dumps({"status": "down", "previousStatus": "up", "errorCode": "CONNECTION_REFUSED"}),
    }
    _insert(db, "alerts", {**standard, **columns})
    return alert


def a_delivery(db: Connection, alert: UUID, provider: UUID | None, **columns: Any) -> UUID:
    """A delivery that waits for its first attempt."""
    delivery = uuid4()
    standard = {"id": delivery, "alert_id": alert, "provider_id": provider, "provider_type": "webhook"}
    _insert(db, "deliveries", {**standard, "provider_name": "Hook", **columns})
    return delivery


def a_window(
    db: Connection, project: UUID, begins: datetime, ends: datetime, monitor: UUID | None = None, **columns: Any
) -> UUID:
    """A maintenance window, once, from `begins` to `ends`; of the whole project unless `monitor` or a tag is given."""
    window = uuid4()
    standard = {
        "id": window,
        "project_id": project,
        "name": "Release",
        "starts_at": begins,
        "duration_seconds": round((ends - begins).total_seconds()),
        "monitor_id": monitor,
        "occurs_from": begins,
        "occurs_until": ends,
    }
    _insert(db, "maintenance_windows", {**standard, **columns})
    return window
