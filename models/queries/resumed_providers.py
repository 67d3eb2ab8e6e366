"""Recovery alerts for providers that were enabled again.

A provider that delivered the alert of an outage and was disabled when the outage ended has not delivered its recovery.
Once it is enabled again, the recovery is sent late.
"""

from uuid import UUID

from models.connections.database import Db

_RESUMED = """
UPDATE notification_providers SET resumed_at = NULL WHERE resumed_at IS NOT NULL AND enabled RETURNING id
"""

# The latest outage of a monitor, if it is over and the provider delivered its alert but not its recovery. A recovery that was
# suppressed for another reason (recovery alerts are off) stays suppressed.
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


def undelivered_recoveries(db: Db) -> list[tuple[UUID, UUID, str]]:
    """Return (alert, provider, provider type) of each recovery to send late. Each enabled provider is examined once."""
    providers = [row[0] for row in db.execute(_RESUMED)]
    if not providers:
        return []
    return [(row[0], row[1], row[2]) for row in db.execute(_ENDED, {"providers": providers})]


def add_deliveries(db: Db, recoveries: list[tuple[UUID, UUID]]) -> list[UUID]:
    """Add a delivery for each (alert, provider). Return the ids of the deliveries."""
    alerts = [alert for alert, _ in recoveries]
    db.execute(
        "UPDATE alerts SET status = 'pending', suppressed_because = NULL"
        " WHERE id = ANY(%s) AND suppressed_because LIKE 'no provider:%%'",
        [alerts],
    )
    added = db.execute(_DELIVER, {"alerts": alerts, "providers": [provider for _, provider in recoveries]}).fetchall()
    db.execute("UPDATE alerts SET status = 'pending' WHERE id = ANY(%s) AND status <> 'suppressed'", [alerts])
    return [row[0] for row in added]
