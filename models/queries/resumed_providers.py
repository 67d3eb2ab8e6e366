"""Providers that were enabled again: what ended while they were disabled is told to them late.

A provider that was told of an outage and was disabled when it ended would leave its readers in the belief that it lasts.
"""

from uuid import UUID

from models.connections.database import Db

_RESUMED = """
UPDATE notification_providers SET resumed_at = NULL WHERE resumed_at IS NOT NULL AND enabled RETURNING id
"""

# The newest outage of a monitor, if it is over: the provider was told of it, and not of its end. Whatever else kept the end
# from being told (recovery alerts turned off) keeps it from being told now.
_ENDED = """
SELECT a.id, p.id, p.type
FROM notification_providers p
JOIN monitor_notification_settings n ON n.provider_id = p.id
JOIN monitor_states s ON s.monitor_id = n.monitor_id AND s.status = 'up'
JOIN alerts a ON a.monitor_id = n.monitor_id AND a.failure_sequence = s.failure_sequence AND a.type = 'monitor.up'
     AND NOT a.manual AND a.planned_at IS NOT NULL
     AND (a.status <> 'suppressed' OR a.suppressed_because LIKE 'no provider:%%' OR a.suppressed_because LIKE 'storm:%%')
WHERE p.id = ANY(%(providers)s)
  AND NOT EXISTS (SELECT FROM deliveries d WHERE d.alert_id = a.id AND d.provider_id = p.id)
  AND NOT EXISTS (SELECT FROM storm_changes c WHERE c.alert_id = a.id AND c.provider_id = p.id)
  AND EXISTS (
      SELECT FROM alerts b
      WHERE b.monitor_id = a.monitor_id AND b.failure_sequence = a.failure_sequence AND b.alert_number IS NOT NULL
        AND (EXISTS (SELECT FROM deliveries d WHERE d.alert_id = b.id AND d.provider_id = p.id AND d.status = 'sent')
             OR EXISTS (SELECT FROM storm_changes c WHERE c.alert_id = b.id AND c.provider_id = p.id
                        AND c.summary_id IS NOT NULL)))
ORDER BY a.created_at, a.id, p.id
"""

_DELIVER = """
INSERT INTO deliveries (id, alert_id, provider_id, provider_type, provider_name)
SELECT gen_random_uuid(), e.alert_id, p.id, p.type, p.name
FROM unnest(%(alerts)s::uuid[], %(providers)s::uuid[]) AS e (alert_id, provider_id)
JOIN notification_providers p ON p.id = e.provider_id
ON CONFLICT (alert_id, provider_id) DO NOTHING
RETURNING id
"""


def ended_meanwhile(db: Db) -> list[tuple[UUID, UUID, str]]:
    """(alert, provider, provider type) of each end that a provider enabled again is owed; each provider is asked about once."""
    providers = [row[0] for row in db.execute(_RESUMED)]
    if not providers:
        return []
    return [(row[0], row[1], row[2]) for row in db.execute(_ENDED, {"providers": providers})]


def tell(db: Db, owed: list[tuple[UUID, UUID]]) -> list[UUID]:
    """Make a delivery of each (alert, provider); the deliveries."""
    alerts = [alert for alert, _ in owed]
    db.execute(
        "UPDATE alerts SET status = 'pending', suppressed_because = NULL"
        " WHERE id = ANY(%s) AND suppressed_because LIKE 'no provider:%%'",
        [alerts],
    )
    made = db.execute(_DELIVER, {"alerts": alerts, "providers": [provider for _, provider in owed]}).fetchall()
    db.execute("UPDATE alerts SET status = 'pending' WHERE id = ANY(%s) AND status <> 'suppressed'", [alerts])
    return [row[0] for row in made]
