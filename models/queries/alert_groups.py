"""Alert grouping: monitors with recent alerts, alerts collected for a provider's next summary, and the summary itself."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db

# Alerts that were sent or collected. Alerts that a user sends by hand are not changes of state.
_RECENTLY_ALERTED = """
SELECT DISTINCT project_id, monitor_id FROM alerts
WHERE project_id = ANY(%s) AND planned_at > now() - %s AND monitor_id IS NOT NULL AND NOT manual
  AND (status <> 'suppressed' OR suppressed_because LIKE 'storm:%%')
"""


class PendingSummary(NamedTuple):
    """A provider with collected alerts, and when the first and the last of them were collected."""

    provider_id: UUID
    first: datetime
    last: datetime


class GroupedAlert(NamedTuple):
    """One alert that a summary lists."""

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
    """A summary to insert: an alert of type `summary` with one delivery. `context` is what the notice shows."""

    alert_id: UUID
    delivery_id: UUID
    provider_id: UUID
    project_id: UUID
    name: str
    reason: str
    context: dict[str, Any]
    correlation_id: str | None


def recently_alerted(db: Db, alert_ids: Sequence[UUID], within: timedelta) -> dict[UUID, set[UUID]]:
    """Return, for each alert, the monitors of its project with recent alerts; alerts of one project share a set.

    Lock these projects until the transaction ends: one planner at a time decides which alerts are sent and which are
    collected.
    """
    rows = db.execute("SELECT id, project_id FROM alerts WHERE id = ANY(%s)", [list(alert_ids)])
    projects: dict[UUID, UUID] = dict(rows.fetchall())
    # Every planner locks in the same order, so that two of them cannot deadlock.
    for project_id in sorted(set(projects.values())):
        db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"storm:{project_id}"])
    monitors: dict[UUID, set[UUID]] = {project_id: set() for project_id in projects.values()}
    for project_id, monitor_id in db.execute(_RECENTLY_ALERTED, [list(monitors), within]):
        monitors[project_id].add(monitor_id)
    return {alert_id: monitors[project_id] for alert_id, project_id in projects.items()}


def collect(db: Db, alert_id: UUID, provider_ids: Sequence[UUID]) -> None:
    """Add the alert to the next summary of these providers."""
    db.execute(
        "INSERT INTO storm_changes (alert_id, provider_id) SELECT %s, unnest(%s::uuid[]) ON CONFLICT DO NOTHING",
        [alert_id, list(provider_ids)],
    )


def pending_summaries(db: Db) -> list[PendingSummary]:
    """Return every provider with collected alerts."""
    with db.cursor(row_factory=class_row(PendingSummary)) as cursor:
        return cursor.execute(
            "SELECT provider_id, min(collected_at) AS first, max(collected_at) AS last FROM storm_changes"
            " WHERE summary_id IS NULL GROUP BY provider_id"
        ).fetchall()


def lock_pending(db: Db, provider_id: UUID) -> list[GroupedAlert]:
    """Lock and return the alerts collected for the provider, the newest last.

    A second caller waits for the lock and then gets none of those that the first one put into a summary.
    """
    with db.cursor(row_factory=class_row(GroupedAlert)) as cursor:
        return cursor.execute(
            "SELECT a.id AS alert_id, a.project_id, a.monitor_id, a.monitor_name AS name, a.type AS event,"
            " a.context ->> 'status' AS status, a.reason, a.created_at AS at, s.collected_at"
            " FROM storm_changes s JOIN alerts a ON a.id = s.alert_id"
            " WHERE s.provider_id = %s AND s.summary_id IS NULL ORDER BY a.created_at, a.id FOR UPDATE OF s",
            [provider_id],
        ).fetchall()


def save_summary(db: Db, summary: NewSummary, changes: Sequence[GroupedAlert]) -> None:
    """Insert the summary, planned, with its delivery, and link these alerts to it."""
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
        [summary.alert_id, summary.provider_id, [change.alert_id for change in changes]],
    )
