"""Fallbacks: the provider that stands in for another one gets a delivery of its own.

Within a storm a person's channel that stands in is told by a summary, too: fifty failed webhooks are not fifty messages. Of
a summary that failed it gets one of its own, of what it was not told before.
"""

from uuid import UUID

from models.connections.database import Db

_STAND_IN = """
WITH wanted AS (
    SELECT d.id AS delivery_id, d.alert_id, f.id AS provider_id, f.type, f.name,
           f.type <> 'webhook' AND coalesce(a.suppressed_because LIKE 'storm:%%', false) AS in_summary,
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
_FOR_FAILED = _STAND_IN.format(which="d.id = %(delivery)s")
_FOR_LATE = _STAND_IN.format(
    which="""(d.status = 'retrying' OR (d.status = 'pending' AND d.waits_since IS NOT NULL)) AND d.error IS NOT NULL
      AND coalesce(d.restarted_at, d.created_at) < now() - %(minutes)s * interval '1 minute'
      AND NOT EXISTS (SELECT FROM deliveries o WHERE o.alert_id = d.alert_id AND o.provider_id = f.id)
      AND NOT EXISTS (SELECT FROM storm_changes s WHERE s.alert_id = d.alert_id AND s.provider_id = f.id)"""
)


def for_failed(db: Db, delivery_id: UUID) -> list[UUID]:
    """Let the fallback stand in for a delivery that has failed for good; its delivery, where it is not told anyway."""
    return [row[0] for row in db.execute(_FOR_FAILED, {"delivery": delivery_id})]


def for_late(db: Db, minutes: int) -> list[UUID]:
    """Let the fallbacks stand in for deliveries that have been failing, or waiting for a slow service, for so long; they go on being tried."""
    return [row[0] for row in db.execute(_FOR_LATE, {"minutes": minutes})]
