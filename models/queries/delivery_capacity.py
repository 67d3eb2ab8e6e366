"""Capacity for deliveries: how many per provider and per project may be in flight at once, across all workers.

A delivery without capacity waits in its row (`waits_since`). The worker that finishes another delivery sends the next
one. A slow service therefore delays only its own messages.
"""

from datetime import datetime
from uuid import UUID

from models.connections.database import Db

#: Deliveries to one provider in flight at once.
PER_PROVIDER = 2
#: Deliveries to all providers of one project, if no other project needs the threads.
PER_PROJECT = 8

#: Counting happens under this lock, so that two claims cannot both take the last place. It is always the first lock.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('deliveries:' || %(project)s::uuid, 0))"
_LOCK_FOR = """
SELECT pg_advisory_xact_lock(hashtextextended('deliveries:' || a.project_id, 0))
FROM deliveries d JOIN alerts a ON a.id = d.alert_id WHERE d.id = %(delivery)s
"""
#: The condition for a delivery `o` in flight.
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
    """Lock the capacity of the delivery's project until the transaction ends."""
    db.execute(_LOCK_FOR, {"delivery": delivery_id})


def next_waiting(db: Db, project_id: UUID, per_project: int) -> list[UUID]:
    """Return the waiting deliveries of the project that there is capacity for, the longest waiting first."""
    db.execute(_LOCK, {"project": project_id})
    values = {"project": project_id, "per_provider": PER_PROVIDER, "per_project": per_project}
    return [row[0] for row in db.execute(_NEXT, values)]


def overlooked(db: Db, before: datetime) -> list[UUID]:
    """Return one delivery per provider that has waited since before `before` despite free capacity: its message was lost."""
    return [row[0] for row in db.execute(_OVERLOOKED, {"before": before, "per_provider": PER_PROVIDER})]
