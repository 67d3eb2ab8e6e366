"""Alerts as an outbox, incidents, and the deliveries that come of them."""

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
    """An alert row to be. `context` freezes what the notice will tell: see `actors.verdicts.aggregate`."""

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


class Unplanned(NamedTuple):
    """An alert that nobody has decided about yet, with what decides: the monitor's switches and its channels."""

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
    #: Whether any failure alert of the same sequence went out to anybody, by itself or in a summary.
    failure_was_told: bool
    #: Whether there was nobody to tell of it: no provider, or none that was enabled.
    failure_found_nobody: bool
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
               AND (b.status <> 'suppressed' OR b.suppressed_because LIKE 'storm:%%')) AS failure_was_told,
       EXISTS (SELECT FROM alerts b WHERE b.monitor_id = a.monitor_id AND b.failure_sequence = a.failure_sequence
               AND b.type <> 'monitor.up' AND b.suppressed_because LIKE 'no provider:%%') AS failure_found_nobody,
       coalesce((SELECT json_agg(json_build_array(p.id, p.type, p.name) ORDER BY p.created_at, p.id)
                 FROM monitor_notification_settings n JOIN notification_providers p ON p.id = n.provider_id
                 WHERE n.monitor_id = m.id AND p.enabled), '[]') AS providers
FROM alerts a JOIN monitors m ON m.id = a.monitor_id
WHERE a.id = ANY(%(ids)s) AND a.planned_at IS NULL
ORDER BY array_position(%(ids)s::uuid[], a.id)
FOR UPDATE OF a SKIP LOCKED
"""


def add_alerts(db: Db, alerts: Iterable[NewAlert]) -> None:
    """Write the outbox rows; one that is there already stays as it is."""
    for one in alerts:
        status = "suppressed" if one.suppressed_because else "pending"
        db.execute(
            _INSERT,
            (
                one.id,
                one.project_id,
                one.monitor_id,
                one.monitor_name,
                one.type,
                one.failure_sequence,
                one.alert_number,
                one.reason,
                json.dumps(one.context),
                one.correlation_id,
                status,
                one.suppressed_because,
                one.suppressed_because,
            ),
        )


def unplanned(db: Db, alert_ids: Sequence[UUID]) -> list[Unplanned]:
    """Those of the alerts that nobody has decided about, in their order, locked; another worker passes over them."""
    with db.cursor(row_factory=class_row(Unplanned)) as cursor:
        return cursor.execute(_UNPLANNED, {"ids": list(alert_ids)}).fetchall()


def forgotten_alerts(db: Db, before: datetime, limit: int = 500) -> list[UUID]:
    """Alerts older than `before` whose message was lost."""
    rows = db.execute(
        "SELECT id FROM alerts WHERE planned_at IS NULL AND created_at < %s AND monitor_id IS NOT NULL"
        " ORDER BY created_at LIMIT %s",
        [before, limit],
    )
    return [row[0] for row in rows]


def close_ownerless(db: Db) -> None:
    """Close alerts whose monitor was deleted before anybody decided whom to tell."""
    db.execute(
        "UPDATE alerts SET planned_at = now(), status = 'suppressed', suppressed_because = 'off: the monitor was deleted'"
        " WHERE planned_at IS NULL AND monitor_id IS NULL"
    )


def suppress(db: Db, alert_id: UUID, because: str) -> None:
    """Record that nobody is told, and why."""
    db.execute(
        "UPDATE alerts SET planned_at = now(), status = 'suppressed', suppressed_because = %s WHERE id = %s",
        [because, alert_id],
    )


def plan(db: Db, alert_id: UUID, deliveries: Iterable[tuple[UUID, UUID, str, str]], because: str | None = None) -> None:
    """Record whom to tell: (delivery id, provider id, provider type, provider name) each.

    `because` says why others are not told by this alert.
    """
    for delivery_id, provider_id, provider_type, provider_name in deliveries:
        db.execute(
            "INSERT INTO deliveries (id, alert_id, provider_id, provider_type, provider_name)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [delivery_id, alert_id, provider_id, provider_type, provider_name],
        )
    db.execute("UPDATE alerts SET planned_at = now(), suppressed_because = %s WHERE id = %s", [because, alert_id])


def begin_incident(
    db: Db,
    incident_id: UUID,
    monitor_id: UUID,
    sequence: int,
    began: datetime,
    code: str | None,
    reason: str,
    in_maintenance: bool = False,
) -> None:
    """Open the incident of a failure sequence; one that came back before its end was told goes on.

    Opening it twice is the same as once.
    """
    db.execute(
        "INSERT INTO incidents (id, monitor_id, failure_sequence, started_at, error_code, reason, in_maintenance)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (monitor_id, failure_sequence) DO UPDATE SET ended_at = NULL",
        [incident_id, monitor_id, sequence, began, code, reason, in_maintenance],
    )


def end_incident(db: Db, monitor_id: UUID, sequence: int, ended: datetime) -> None:
    """Close the incident of a failure sequence."""
    db.execute(
        "UPDATE incidents SET ended_at = %s WHERE monitor_id = %s AND failure_sequence = %s AND ended_at IS NULL",
        [ended, monitor_id, sequence],
    )
