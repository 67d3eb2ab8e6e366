"""Fallback providers: create a delivery to the fallback of a provider that fails.

If the alert is sent in a summary, a human channel that is a fallback gets a summary too: fifty failed webhooks do not
become fifty messages. If a summary itself fails, its fallback gets a new summary of the alerts that it did not get yet.
"""

from uuid import UUID

from channels import EVENT_RECEIVERS
from models.connections.database import Db

_CREATE = """
WITH wanted AS (
    SELECT d.id AS delivery_id, d.alert_id, f.id AS provider_id, f.type, f.name,
           f.type <> ALL(%(event_receivers)s) AND coalesce(a.suppressed_because LIKE 'storm:%%', false) AS in_summary,
           a.type = 'summary' AS of_summary
    FROM deliveries d JOIN alerts a ON a.id = d.alert_id JOIN notification_providers p ON p.id = d.provider_id
    JOIN notification_providers f ON f.id = p.fallback_provider_id AND f.enabled
    WHERE {which}
), collected AS (
    INSERT INTO storm_changes (alert_id, provider_id)
    SELECT alert_id, provider_id FROM wanted WHERE in_summary
    UNION
    SELECT c.alert_id, w.provider_id FROM wanted w JOIN storm_changes c ON c.summary_id = w.alert_id
    WHERE w.of_summary
      AND NOT EXISTS (SELECT FROM deliveries o WHERE o.alert_id = c.alert_id AND o.provider_id = w.provider_id)
    ON CONFLICT DO NOTHING
)
INSERT INTO deliveries (id, alert_id, provider_id, provider_type, provider_name, fallback_for)
SELECT gen_random_uuid(), alert_id, provider_id, type, name, delivery_id FROM wanted WHERE NOT in_summary AND NOT of_summary
ON CONFLICT (alert_id, provider_id) DO NOTHING
RETURNING id
"""
_FOR_FAILED = _CREATE.format(which="d.id = %(delivery)s")
_FOR_LATE = _CREATE.format(
    which="""(d.status = 'retrying' OR (d.status = 'pending' AND d.waits_since IS NOT NULL)) AND d.error IS NOT NULL
      AND coalesce(d.restarted_at, d.created_at) < now() - %(minutes)s * interval '1 minute'
      AND NOT EXISTS (SELECT FROM deliveries o WHERE o.alert_id = d.alert_id AND o.provider_id = f.id)
      AND NOT EXISTS (SELECT FROM storm_changes s WHERE s.alert_id = d.alert_id AND s.provider_id = f.id)"""
)


def for_failed(db: Db, delivery_id: UUID) -> list[UUID]:
    """Create the fallback's delivery for one that failed permanently. Return its id; [] if the fallback has the alert."""
    values = {"delivery": delivery_id, "event_receivers": list(EVENT_RECEIVERS)}
    return [row[0] for row in db.execute(_FOR_FAILED, values)]


def for_late(db: Db, minutes: int) -> list[UUID]:
    """Create the fallbacks' deliveries for those that have failed, or waited for capacity, for `minutes`.

    Return the new ids. The late deliveries are still retried.
    """
    values = {"minutes": minutes, "event_receivers": list(EVENT_RECEIVERS)}
    return [row[0] for row in db.execute(_FOR_LATE, values)]
