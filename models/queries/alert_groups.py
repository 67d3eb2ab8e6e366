"""Storms: who changed lately, what a provider is to be told in a summary, and the summary as an alert of its own."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db

# Told, or collected to be told. Alerts by hand are nobody's change of state.
_LATELY = """
SELECT DISTINCT project_id, monitor_id FROM alerts
WHERE project_id = ANY(%s) AND planned_at > now() - %s AND monitor_id IS NOT NULL AND NOT manual
  AND (status <> 'suppressed' OR suppressed_because LIKE 'storm:%%')
"""


class Open(NamedTuple):
    """A provider with changes that no summary has told yet, and when the first and the last of them were collected."""

    provider_id: UUID
    first: datetime
    last: datetime


class Change(NamedTuple):
    """One alert that a summary tells."""

    alert_id: UUID
    project_id: UUID
    monitor_id: UUID | None
    name: str
    event: str
    status: str | None
    reason: str
    at: datetime
    collected_at: datetime


class NewSummary(NamedTuple):
    """A summary to be: an alert of type `summary` with one delivery. `context` is what the notice tells."""

    alert_id: UUID
    delivery_id: UUID
    provider_id: UUID
    project_id: UUID
    name: str
    reason: str
    context: dict[str, Any]
    correlation_id: str | None


def lately(db: Db, alert_ids: Sequence[UUID], within: timedelta) -> dict[UUID, set[UUID]]:
    """For each alert the monitors of its project that had something to tell lately; alerts of one project share a set.

    Until the transaction ends nobody else plans alerts of these projects: who is told and who is collected is decided
    by one planner at a time.
    """
    rows = db.execute("SELECT id, project_id FROM alerts WHERE id = ANY(%s)", [list(alert_ids)])
    projects: dict[UUID, UUID] = dict(rows.fetchall())
    # In one order everywhere: two planners never wait for each other.
    for project in sorted(set(projects.values())):
        db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"storm:{project}"])
    monitors: dict[UUID, set[UUID]] = {project: set() for project in projects.values()}
    for project, monitor in db.execute(_LATELY, [list(monitors), within]):
        monitors[project].add(monitor)
    return {alert_id: monitors[project] for alert_id, project in projects.items()}


def collect(db: Db, alert_id: UUID, provider_ids: Sequence[UUID]) -> None:
    """Have these providers told of the alert by their next summary."""
    db.execute(
        "INSERT INTO storm_changes (alert_id, provider_id) SELECT %s, unnest(%s::uuid[]) ON CONFLICT DO NOTHING",
        [alert_id, list(provider_ids)],
    )


def waiting(db: Db) -> list[Open]:
    """Every provider that a summary is due to, now or soon."""
    with db.cursor(row_factory=class_row(Open)) as cursor:
        return cursor.execute(
            "SELECT provider_id, min(collected_at) AS first, max(collected_at) AS last FROM storm_changes"
            " WHERE summary_id IS NULL GROUP BY provider_id"
        ).fetchall()


def take(db: Db, provider_id: UUID) -> list[Change]:
    """What no summary has told the provider yet, the newest last; locked, so that a second taker gets nothing of it."""
    with db.cursor(row_factory=class_row(Change)) as cursor:
        return cursor.execute(
            "SELECT a.id AS alert_id, a.project_id, a.monitor_id, a.monitor_name AS name, a.type AS event,"
            " a.context ->> 'status' AS status, a.reason, a.created_at AS at, s.collected_at"
            " FROM storm_changes s JOIN alerts a ON a.id = s.alert_id"
            " WHERE s.provider_id = %s AND s.summary_id IS NULL ORDER BY a.created_at, a.id FOR UPDATE OF s",
            [provider_id],
        ).fetchall()


def tell(db: Db, summary: NewSummary, changes: Sequence[Change]) -> None:
    """Write the summary, planned, with its delivery, and note that it tells these changes."""
    db.execute(
        "INSERT INTO alerts (id, project_id, monitor_name, type, reason, context, correlation_id, planned_at)"
        " VALUES (%s, %s, %s, 'summary', %s, %s, %s, now())",
        [
            summary.alert_id,
            summary.project_id,
            summary.name,
            summary.reason,
            json.dumps(summary.context),
            summary.correlation_id,
        ],
    )
    db.execute(
        "INSERT INTO deliveries (id, alert_id, provider_id, provider_type, provider_name)"
        " SELECT %s, %s, id, type, name FROM notification_providers WHERE id = %s",
        [summary.delivery_id, summary.alert_id, summary.provider_id],
    )
    db.execute(
        "UPDATE storm_changes SET summary_id = %s WHERE provider_id = %s AND alert_id = ANY(%s)",
        [summary.alert_id, summary.provider_id, [one.alert_id for one in changes]],
    )
