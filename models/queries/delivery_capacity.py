"""Places for deliveries: how many of one provider, and of one project, may be in flight at once, across all workers.

A delivery that finds no place waits in its row (`waits_since`). Whoever ends another one sends on the next: a service
that answers slowly holds back its own messages and nobody else's.
"""

from datetime import datetime
from uuid import UUID

from models.connections.database import Db

#: Deliveries to one provider at once.
PER_PROVIDER = 2
#: And to all providers of one project, where nobody else needs the threads.
PER_PROJECT = 8

#: Counted under this lock, so that two claims cannot both take the last place. Nothing else is locked before it.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('deliveries:' || %(project)s::uuid, 0))"
_LOCK_FOR = """
SELECT pg_advisory_xact_lock(hashtextextended('deliveries:' || a.project_id, 0))
FROM deliveries d JOIN alerts a ON a.id = d.alert_id WHERE d.id = %(delivery)s
"""
#: The condition for a delivery `o` that has a place.
IN_FLIGHT = "o.claimed_by IS NOT NULL AND o.claimed_until > now() AND o.status IN ('pending', 'retrying')"

_NEXT = f"""
WITH busy AS (
    SELECT o.provider_id FROM deliveries o JOIN alerts b ON b.id = o.alert_id
    WHERE {IN_FLIGHT} AND b.project_id = %(project)s
)
SELECT w.id
FROM notification_providers p CROSS JOIN LATERAL (
    SELECT d.id, d.waits_since FROM deliveries d
    WHERE d.provider_id = p.id AND d.waits_since IS NOT NULL AND d.next_attempt_at <= now()
      AND d.status IN ('pending', 'retrying')
    ORDER BY d.waits_since, d.id
    LIMIT greatest(0, %(per_provider)s - (SELECT count(*) FROM busy WHERE busy.provider_id = p.id))
) AS w
WHERE p.project_id = %(project)s
ORDER BY w.waits_since, w.id
LIMIT greatest(0, %(per_project)s - (SELECT count(*) FROM busy))
"""

_OVERLOOKED = f"""
SELECT first.id FROM (
    SELECT DISTINCT ON (d.provider_id) d.id, d.provider_id FROM deliveries d
    WHERE d.waits_since < %(before)s AND d.next_attempt_at <= now() AND d.status IN ('pending', 'retrying')
    ORDER BY d.provider_id, d.waits_since, d.id
) AS first
WHERE (SELECT count(*) FROM deliveries o WHERE o.provider_id = first.provider_id AND {IN_FLIGHT}) < %(per_provider)s
"""


def hold_for(db: Db, delivery_id: UUID) -> None:
    """Let nobody else count the places of the delivery's project until the transaction ends."""
    db.execute(_LOCK_FOR, {"delivery": delivery_id})


def next_waiting(db: Db, project_id: UUID, per_project: int) -> list[UUID]:
    """The deliveries of the project that now find a place, those that wait longest first."""
    db.execute(_LOCK, {"project": project_id})
    values = {"project": project_id, "per_provider": PER_PROVIDER, "per_project": per_project}
    return [row[0] for row in db.execute(_NEXT, values)]


def overlooked(db: Db, before: datetime) -> list[UUID]:
    """One delivery of each provider that waits since before `before` although there is a place: its message was lost."""
    return [row[0] for row in db.execute(_OVERLOOKED, {"before": before, "per_provider": PER_PROVIDER})]
