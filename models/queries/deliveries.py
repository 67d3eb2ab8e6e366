"""Deliveries: claim one for an attempt, and record the result."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow, class_row

from models.connections.database import Db
from models.queries import delivery_capacity, fallbacks
from models.secrets import encryption, fields

#: How long a claim is valid; longer than the longest attempt. The sweep sends a delivery again when its claim expires, or
#: earlier if the process of the claim is dead (`release`).
LEASE_SECONDS = 60
#: How many attempts a delivery's log keeps, the newest ones.
MAX_LOGGED = 30


class ClaimedDelivery(NamedTuple):
    """One delivery, claimed by this worker for `LEASE_SECONDS`. `attempts` includes the attempt of this claim.

    `created_at` is when the retries began: when the delivery was created, or when a user retried it.
    """

    id: UUID
    alert_id: UUID
    project_id: UUID
    provider_id: UUID | None
    provider_type: str
    attempts: int
    created_at: datetime
    event: str
    alert_number: int | None
    reason: str
    context: dict[str, Any]
    correlation_id: str | None
    monitor_id: UUID | None
    incident_id: UUID | None
    monitor_name: str
    monitor_type: str | None
    target: str | None
    custom_message: str | None
    project: str
    config: dict[str, Any] | None
    sealed: bytes | None
    max_per_minute: int | None
    claimed_by: str
    #: When the outage of a failure alert ended; None if it goes on.
    ended_at: datetime | None
    #: The alert is a recovery, and this provider got no alert of its outage.
    down_alert_missed: bool
    #: The alert is a recovery that was planned while this provider was disabled.
    is_late_recovery: bool

    def decrypted_config(self) -> dict[str, Any]:
        """Return the provider's config with its secrets. Raise `models.secrets.encryption.DecryptionError`."""
        assert self.provider_id is not None, "a delivery without its provider is closed, not sent"
        opened = encryption.decrypt(self.sealed, "notification_providers", self.provider_id)
        return fields.join(self.config or {}, opened)


class Attempt(NamedTuple):
    """One call to the service: its start, its duration, and its error (None: the service accepted the message)."""

    at: datetime
    duration_ms: float
    error: str | None


#: What the page shows for a delivery that waits for capacity.
WAITS_FOR_CAPACITY = "Queued: other messages to this provider, or of this project, are sent first."

_READY = (
    "d.status IN ('pending', 'retrying') AND d.next_attempt_at <= now()"
    " AND (d.claimed_until IS NULL OR d.claimed_until <= now())"
)
# A delivery whose provider was deleted needs no capacity: there is no service to call.
_CLAIM = f"""
WITH wanted AS (
    SELECT d.id, d.provider_id, a.project_id FROM deliveries d JOIN alerts a ON a.id = d.alert_id
    WHERE d.id = %(id)s AND {_READY}
), crowded AS (
    SELECT w.id FROM wanted w
    WHERE w.provider_id IS NOT NULL AND (
        (SELECT count(*) FROM deliveries o WHERE {delivery_capacity.IN_FLIGHT} AND o.provider_id = w.provider_id) >= %(per_provider)s
        OR (SELECT count(*) FROM deliveries o JOIN alerts b ON b.id = o.alert_id
            WHERE {delivery_capacity.IN_FLIGHT} AND b.project_id = w.project_id) >= %(per_project)s)
), waiting AS (
    UPDATE deliveries d SET waits_since = coalesce(d.waits_since, now()), error = coalesce(d.error, %(waits)s)
    FROM crowded WHERE d.id = crowded.id AND {_READY}
), claimed AS (
    UPDATE deliveries d SET attempts = d.attempts + 1, claimed_until = now() + %(lease)s * interval '1 second',
                            claimed_by = %(by)s, waits_since = NULL
    FROM wanted WHERE d.id = wanted.id AND wanted.id NOT IN (SELECT id FROM crowded) AND {_READY}
    RETURNING d.*
)
SELECT d.id, d.alert_id, a.project_id, d.provider_id, d.provider_type, d.attempts,
       coalesce(d.restarted_at, d.created_at) AS created_at,
       a.type AS event, a.alert_number, a.reason, a.context, a.correlation_id,
       a.monitor_id, i.id AS incident_id, a.monitor_name, m.type AS monitor_type, m.target, m.custom_message, j.name AS project,
       p.config, p.secrets AS sealed, p.max_per_minute, d.claimed_by, i.ended_at,
       a.type = 'monitor.up' AND a.failure_sequence IS NOT NULL AND NOT a.manual AND NOT EXISTS (
           SELECT FROM alerts b
           WHERE b.monitor_id = a.monitor_id AND b.failure_sequence = a.failure_sequence AND b.alert_number IS NOT NULL
             AND (EXISTS (SELECT FROM deliveries t WHERE t.alert_id = b.id AND t.provider_id = d.provider_id
                          AND t.status = 'sent')
                  OR EXISTS (SELECT FROM storm_changes s WHERE s.alert_id = b.id AND s.provider_id = d.provider_id
                             AND s.summary_id IS NOT NULL))) AS down_alert_missed,
       a.type = 'monitor.up' AND d.fallback_for IS NULL AND d.created_at > a.planned_at AS is_late_recovery
FROM claimed d JOIN alerts a ON a.id = d.alert_id JOIN projects j ON j.id = a.project_id
LEFT JOIN monitors m ON m.id = a.monitor_id
LEFT JOIN incidents i ON i.monitor_id = a.monitor_id AND i.failure_sequence = a.failure_sequence
LEFT JOIN notification_providers p ON p.id = d.provider_id
"""

# The end of an attempt: release the claim and add the attempt to the log. A success is recorded even if another process
# has claimed the delivery by now, because the service has the message. A failure is recorded only while the claim is
# still this process's: otherwise a process that was considered dead would overwrite the result of its successor.
_RECORD_ATTEMPT = """
UPDATE deliveries
SET status = %(status)s, error = %(error)s, duration_ms = %(duration)s, claimed_until = NULL, claimed_by = NULL,
    next_attempt_at = coalesce(%(next)s, next_attempt_at),
    sent_at = CASE WHEN %(status)s = 'sent' THEN now() END,
    attempt_log = (CASE WHEN jsonb_array_length(attempt_log) >= %(logged)s THEN attempt_log - 0 ELSE attempt_log END)
        || jsonb_build_object('at', %(at)s::timestamptz, 'durationMs', %(duration)s::float, 'outcome', %(status)s::text,
                              'error', %(error)s::text)
WHERE id = %(id)s AND (%(status)s = 'sent' OR (status IN ('pending', 'retrying') AND attempts = %(attempts)s AND claimed_by = %(by)s))
RETURNING id
"""

# The alert's status is derived from all of its deliveries whenever one of them ends. The alert is locked first: of two
# deliveries that end at the same time, the second one must see what the first one wrote.
_LOCK_ALERT = "SELECT FROM alerts WHERE id = %s FOR NO KEY UPDATE"
_DERIVE_STATUS = """
UPDATE alerts a
SET status = CASE WHEN open > 0 THEN 'pending' WHEN failed > 0 THEN 'failed' ELSE 'sent' END
FROM (SELECT count(*) FILTER (WHERE status IN ('pending', 'retrying')) AS open,
             count(*) FILTER (WHERE status = 'failed') AS failed
      FROM deliveries WHERE alert_id = %(alert)s) AS d
WHERE a.id = %(alert)s
"""

# The attempt of a process that died is logged as lost.
_RELEASE = """
UPDATE deliveries
SET claimed_until = NULL, claimed_by = NULL,
    attempt_log = attempt_log || jsonb_build_object('at', now(), 'durationMs', NULL, 'outcome', 'lost', 'error',
        'The worker stopped before it recorded the result.')
WHERE claimed_by = ANY(%s) AND status IN ('pending', 'retrying') AND next_attempt_at <= now()
RETURNING id
"""


def claim(
    db: Db, delivery_id: UUID, by: str, per_project: int = delivery_capacity.PER_PROJECT
) -> ClaimedDelivery | None:
    """Claim the delivery for one attempt by the process `by`.

    Return None if the delivery has ended, is not due, or is claimed by another worker. Also return None if
    `delivery_capacity.PER_PROVIDER` other deliveries of its provider, or `per_project` of its project, are in flight; then
    the delivery is marked as waiting.
    """
    values = {
        "id": delivery_id,
        "lease": LEASE_SECONDS,
        "by": by,
        "per_provider": delivery_capacity.PER_PROVIDER,
        "per_project": per_project,
        "waits": WAITS_FOR_CAPACITY,
    }
    delivery_capacity.hold_for(db, delivery_id)
    with db.cursor(row_factory=class_row(ClaimedDelivery)) as cursor:
        return cursor.execute(_CLAIM, values).fetchone()


def record_success(db: Db, delivery: ClaimedDelivery, attempt: Attempt) -> None:
    """Record that the service accepted the message."""
    _lock_alert(db, delivery.alert_id)
    _record_attempt(db, delivery, attempt, "sent")
    db.execute(
        "UPDATE notification_providers SET last_success_at = now(), broken = false WHERE id = %s",
        [delivery.provider_id],
    )
    _derive_status(db, delivery.alert_id)


def record_retry(db: Db, delivery: ClaimedDelivery, attempt: Attempt, next_attempt_at: datetime) -> None:
    """Record a failed attempt that is retried. Do nothing if another process has claimed the delivery by now."""
    if _record_attempt(db, delivery, attempt, "retrying", next_attempt_at).fetchone():
        _record_error(db, delivery, attempt.error, broken=False)


def record_failure(db: Db, delivery: ClaimedDelivery, attempt: Attempt, *, broken: bool) -> list[UUID]:
    """Record that the delivery failed permanently, and return the delivery to the fallback provider, if there is one.

    `broken` marks the provider as broken. Do nothing and return [] if another process has claimed the delivery by now.
    """
    _lock_alert(db, delivery.alert_id)
    if not _record_attempt(db, delivery, attempt, "failed").fetchone():
        return []
    _record_error(db, delivery, attempt.error, broken=broken)
    fallback_ids = fallbacks.for_failed(db, delivery.id)
    _derive_status(db, delivery.alert_id)
    return fallback_ids


def defer(db: Db, delivery: ClaimedDelivery, until: datetime, reason: str) -> None:
    """Release the claim without an attempt; the delivery is due at `until`."""
    db.execute(
        "UPDATE deliveries SET attempts = attempts - 1, claimed_until = NULL, claimed_by = NULL, next_attempt_at = %s,"
        " error = %s WHERE id = %s AND status IN ('pending', 'retrying') AND attempts = %s AND claimed_by = %s",
        [until, reason, delivery.id, delivery.attempts, delivery.claimed_by],
    )


def due(db: Db, forgotten_before: datetime, limit: int = 500) -> list[UUID]:
    """Return deliveries to send: retries that are due, and first attempts created before `forgotten_before`, whose message was lost.

    A delivery that waits for capacity is left out (see `models.queries.delivery_capacity`), unless its provider was deleted.
    """
    rows = db.execute(
        "SELECT id FROM deliveries WHERE next_attempt_at <= now() AND (claimed_until IS NULL OR claimed_until <= now())"
        " AND (status = 'retrying' OR (status = 'pending' AND (created_at < %s OR next_attempt_at > created_at)))"
        " AND (waits_since IS NULL OR provider_id IS NULL)"
        " ORDER BY next_attempt_at LIMIT %s",
        [forgotten_before, limit],
    )
    return [row[0] for row in rows]


def claimants(db: Db) -> list[str]:
    """Return the processes that hold valid claims."""
    rows = db.execute(
        "SELECT DISTINCT claimed_by FROM deliveries WHERE status IN ('pending', 'retrying') AND next_attempt_at <= now()"
        " AND claimed_until > now() AND claimed_by IS NOT NULL"
    )
    return [row[0] for row in rows]


def release(db: Db, processes: Sequence[str]) -> list[UUID]:
    """Release the claims of these processes, which are dead, and return the deliveries."""
    return [row[0] for row in db.execute(_RELEASE, [list(processes)])]


def _record_attempt(
    db: Db, delivery: ClaimedDelivery, attempt: Attempt, status: str, next_attempt_at: datetime | None = None
) -> Cursor[TupleRow]:
    """Write the attempt. The cursor has a row if the attempt was recorded."""
    return db.execute(
        _RECORD_ATTEMPT,
        {
            "id": delivery.id,
            "status": status,
            "error": attempt.error,
            "duration": attempt.duration_ms,
            "at": attempt.at,
            "next": next_attempt_at,
            "logged": MAX_LOGGED,
            "attempts": delivery.attempts,
            "by": delivery.claimed_by,
        },
    )


def _record_error(db: Db, delivery: ClaimedDelivery, error: str | None, *, broken: bool) -> None:
    db.execute(
        "UPDATE notification_providers SET last_error_at = now(), last_error = %s, broken = broken OR %s WHERE id = %s",
        [error, broken, delivery.provider_id],
    )


def _lock_alert(db: Db, alert_id: UUID) -> None:
    db.execute(_LOCK_ALERT, [alert_id])


def _derive_status(db: Db, alert_id: UUID) -> None:
    db.execute(_DERIVE_STATUS, {"alert": alert_id})
