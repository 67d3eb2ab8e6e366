"""Alerts as an outbox: stored with the decision that causes them, planned into deliveries afterwards."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert to store. `context` freezes what its message says: see `actors.verdicts.alert_events`."""

    id: UUID
    project_id: UUID
    monitor_id: UUID
    monitor_name: str
    type: str
    failure_sequence: int | None
    alert_number: int | None
    reason: str
    context: dict[str, Any]
    correlation_id: str | None
    suppressed_because: str | None = None


class UnplannedAlert(NamedTuple):
    """An alert that is not planned yet, with what its plan depends on: the monitor's settings and providers."""

    id: UUID
    monitor_id: UUID | None
    type: str
    manual: bool
    alert_number: int | None
    failure_sequence: int | None
    alerts_enabled: bool
    alert_on_failure: bool
    alert_on_recovery: bool
    alert_on_ssl_expiration: bool
    muted_until: datetime | None
    #: Whether any failure alert of the same sequence was sent, by itself or in a summary.
    failure_was_sent: bool
    #: Whether a failure alert of the same sequence was suppressed because the monitor had no enabled provider.
    failure_had_no_provider: bool
    #: (id, type, name) of the monitor's enabled providers.
    providers: list[tuple[UUID, str, str]]


_INSERT = """
INSERT INTO alerts (id, project_id, monitor_id, monitor_name, type, failure_sequence, alert_number, reason, context,
                    correlation_id, status, suppressed_because, planned_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s::text IS NULL THEN NULL ELSE now() END)
ON CONFLICT DO NOTHING
"""

_UNPLANNED = """
SELECT a.id, a.monitor_id, a.type, a.manual, a.alert_number, a.failure_sequence,
       m.alerts_enabled, m.alert_on_failure, m.alert_on_recovery, m.alert_on_ssl_expiration, m.muted_until,
       EXISTS (SELECT FROM alerts b WHERE b.monitor_id = a.monitor_id AND b.failure_sequence = a.failure_sequence
               AND b.type <> 'monitor.up'
               AND (b.status <> 'suppressed' OR b.suppressed_because LIKE 'storm:%%')) AS failure_was_sent,
       EXISTS (SELECT FROM alerts b WHERE b.monitor_id = a.monitor_id AND b.failure_sequence = a.failure_sequence
               AND b.type <> 'monitor.up' AND b.suppressed_because LIKE 'no provider:%%') AS failure_had_no_provider,
       coalesce((SELECT json_agg(json_build_array(p.id, p.type, p.name) ORDER BY p.created_at, p.id)
                 FROM monitor_notification_settings n JOIN notification_providers p ON p.id = n.provider_id
                 WHERE n.monitor_id = m.id AND p.enabled), '[]') AS providers
FROM alerts a JOIN monitors m ON m.id = a.monitor_id
WHERE a.id = ANY(%(ids)s) AND a.planned_at IS NULL
ORDER BY array_position(%(ids)s::uuid[], a.id)
FOR UPDATE OF a SKIP LOCKED
"""


def add_alerts(db: Db, alerts: Iterable[NewAlert]) -> None:
    """Store the alerts; one that exists already stays unchanged."""
    for alert in alerts:
        status = "suppressed" if alert.suppressed_because else "pending"
        db.execute(
            _INSERT,
            (
                alert.id,
                alert.project_id,
                alert.monitor_id,
                alert.monitor_name,
                alert.type,
                alert.failure_sequence,
                alert.alert_number,
                alert.reason,
                json.dumps(alert.context),
                alert.correlation_id,
                status,
                alert.suppressed_because,
                alert.suppressed_because,
            ),
        )


def unplanned(db: Db, alert_ids: Sequence[UUID]) -> list[UnplannedAlert]:
    """Return those of the alerts that are not planned, in the given order, locked. Alerts that another worker has locked are skipped."""
    with db.cursor(row_factory=class_row(UnplannedAlert)) as cursor:
        return cursor.execute(_UNPLANNED, {"ids": list(alert_ids)}).fetchall()


def lost_alerts(db: Db, before: datetime, limit: int = 500) -> list[UUID]:
    """Return alerts older than `before` that are not planned: the message to plan them was lost."""
    rows = db.execute(
        "SELECT id FROM alerts WHERE planned_at IS NULL AND created_at < %s AND monitor_id IS NOT NULL"
        " ORDER BY created_at LIMIT %s",
        [before, limit],
    )
    return [row[0] for row in rows]


def close_orphaned_alerts(db: Db) -> None:
    """Suppress alerts whose monitor was deleted before they were planned."""
    db.execute(
        "UPDATE alerts SET planned_at = now(), status = 'suppressed', suppressed_because = 'off: the monitor was deleted'"
        " WHERE planned_at IS NULL AND monitor_id IS NULL"
    )


def suppress(db: Db, alert_id: UUID, because: str) -> None:
    """Record that the alert is not sent, and why."""
    db.execute(
        "UPDATE alerts SET planned_at = now(), status = 'suppressed', suppressed_because = %s WHERE id = %s",
        [because, alert_id],
    )


def plan(db: Db, alert_id: UUID, deliveries: Iterable[tuple[UUID, UUID, str, str]], because: str | None = None) -> None:
    """Create the deliveries of an alert: (delivery id, provider id, provider type, provider name) each.

    `because` says why other providers get no delivery.
    """
    for delivery_id, provider_id, provider_type, provider_name in deliveries:
        db.execute(
            "INSERT INTO deliveries (id, alert_id, provider_id, provider_type, provider_name)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [delivery_id, alert_id, provider_id, provider_type, provider_name],
        )
    db.execute("UPDATE alerts SET planned_at = now(), suppressed_because = %s WHERE id = %s", [because, alert_id])
