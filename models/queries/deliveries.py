"""Deliveries: claimed for one attempt, recorded with what came of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow, class_row

from models.connections.database import Db
from models.queries import delivery_capacity, fallbacks
from models.secrets import encryption, fields

#: Longer than the longest attempt. A claim that outlives it is taken over by the sweep; one whose process is gone is
#: given back sooner (`release`).
LEASE_SECONDS = 60
#: So many attempts are kept in a delivery's log, the newest ones.
LOGGED = 30


class Claimed(NamedTuple):
    """One delivery, this worker's for `LEASE_SECONDS`. `attempts` counts this one; `config` holds secrets in the clear.

    `created_at` is when it was first to be tried: when it was made, or when a person had it tried anew.
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
    #: When the outage ended that a failure alert tells of; None while it lasts.
    ended_at: datetime | None
    #: Of a recovery: whether this provider was never told of the outage that it ends.
    beginning_untold: bool
    #: Of a recovery: whether it was planned before this provider could be told of it.
    late_end: bool

    def clear_config(self) -> dict[str, Any]:
        """The provider's config with its secrets. Raises `models.secrets.encryption.DecryptionError`."""
        assert self.provider_id is not None, "a delivery without its provider is closed, not sent"
        opened = encryption.decrypt(self.sealed, "notification_providers", self.provider_id)
        return fields.join(self.config or {}, opened)


class Attempt(NamedTuple):
    """One call to the service: when it began, how long it took, what went wrong (None: it took the message)."""

    at: datetime
    duration_ms: float
    error: str | None


#: What the page shows of a delivery that waits for a place.
WAITS = "Waits until other messages to this provider, or of this project, are through."

_READY = (
    "d.status IN ('pending', 'retrying') AND d.next_attempt_at <= now()"
    " AND (d.claimed_until IS NULL OR d.claimed_until <= now())"
)
# Where the provider was deleted there is nothing to call, and no place to wait for.
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
                             AND s.summary_id IS NOT NULL))) AS beginning_untold,
       a.type = 'monitor.up' AND d.fallback_for IS NULL AND d.created_at > a.planned_at AS late_end
FROM claimed d JOIN alerts a ON a.id = d.alert_id JOIN projects j ON j.id = a.project_id
LEFT JOIN monitors m ON m.id = a.monitor_id
LEFT JOIN incidents i ON i.monitor_id = a.monitor_id AND i.failure_sequence = a.failure_sequence
LEFT JOIN notification_providers p ON p.id = d.provider_id
"""

# What every end of an attempt does: the claim is given back, and the attempt joins the log. That the message was taken is
# true whoever holds the delivery now; a failure counts only while the claim is still one's own, or a process that was
# thought dead would undo what its successor has done.
_ATTEMPTED = """
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

# The alert's status follows from all its deliveries, so it is derived again at every end of one. Of two that end at once
# the later must see what the earlier has written: whoever is to derive it holds the alert before anything else.
_HOLD = "SELECT FROM alerts WHERE id = %s FOR NO KEY UPDATE"
_FOLLOW = """
UPDATE alerts a
SET status = CASE WHEN open > 0 THEN 'pending' WHEN failed > 0 THEN 'failed' ELSE 'sent' END
FROM (SELECT count(*) FILTER (WHERE status IN ('pending', 'retrying')) AS open,
             count(*) FILTER (WHERE status = 'failed') AS failed
      FROM deliveries WHERE alert_id = %(alert)s) AS d
WHERE a.id = %(alert)s
"""

# An attempt that nobody lived to record is not without a trace.
_RELEASE = """
UPDATE deliveries
SET claimed_until = NULL, claimed_by = NULL,
    attempt_log = attempt_log || jsonb_build_object('at', now(), 'durationMs', NULL, 'outcome', 'lost', 'error',
        'The worker ended before it could say what came of it.')
WHERE claimed_by = ANY(%s) AND status IN ('pending', 'retrying') AND next_attempt_at <= now()
RETURNING id
"""


def claim(db: Db, delivery_id: UUID, by: str, per_project: int = delivery_capacity.PER_PROJECT) -> Claimed | None:
    """Take one attempt of the delivery for the process `by`; None where it has ended, waits, or is another worker's.

    It is made to wait for a place if `places.PER_PROVIDER` others of its provider, or `per_project` of its project, are in
    flight.
    """
    values = {
        "id": delivery_id,
        "lease": LEASE_SECONDS,
        "by": by,
        "per_provider": delivery_capacity.PER_PROVIDER,
        "per_project": per_project,
        "waits": WAITS,
    }
    delivery_capacity.hold_for(db, delivery_id)
    with db.cursor(row_factory=class_row(Claimed)) as cursor:
        return cursor.execute(_CLAIM, values).fetchone()


def succeeded(db: Db, one: Claimed, attempt: Attempt) -> None:
    """The service took the message."""
    _hold(db, one.alert_id)
    _attempted(db, one, attempt, "sent")
    db.execute(
        "UPDATE notification_providers SET last_success_at = now(), broken = false WHERE id = %s", [one.provider_id]
    )
    _follow(db, one.alert_id)


def postponed(db: Db, one: Claimed, attempt: Attempt, next_attempt_at: datetime) -> None:
    """The attempt failed and another one follows, unless the claim is another process's by now."""
    if _attempted(db, one, attempt, "retrying", next_attempt_at).fetchone():
        _note_error(db, one, attempt.error, broken=False)


def failed(db: Db, one: Claimed, attempt: Attempt, *, broken: bool) -> list[UUID]:
    """The delivery has failed for good; `broken` marks the channel as well. The delivery that stands in, where there is one.

    Nothing of it where the claim is another process's by now.
    """
    _hold(db, one.alert_id)
    if not _attempted(db, one, attempt, "failed").fetchone():
        return []
    _note_error(db, one, attempt.error, broken=broken)
    stand_ins = fallbacks.for_failed(db, one.id)
    _follow(db, one.alert_id)
    return stand_ins


def deferred(db: Db, one: Claimed, until: datetime, why: str) -> None:
    """No attempt was made: it waits, uncounted, until it may be."""
    db.execute(
        "UPDATE deliveries SET attempts = attempts - 1, claimed_until = NULL, claimed_by = NULL, next_attempt_at = %s,"
        " error = %s WHERE id = %s AND status IN ('pending', 'retrying') AND attempts = %s AND claimed_by = %s",
        [until, why, one.id, one.attempts, one.claimed_by],
    )


def due(db: Db, forgotten_before: datetime, limit: int = 500) -> list[UUID]:
    """Deliveries to try now: those whose time has come, and first attempts whose message was lost.

    One that waits for a place is sent on when there is one (`models.queries.delivery_capacity`), unless its provider is gone.
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
    """The processes that have claims which still hold."""
    rows = db.execute(
        "SELECT DISTINCT claimed_by FROM deliveries WHERE status IN ('pending', 'retrying') AND next_attempt_at <= now()"
        " AND claimed_until > now() AND claimed_by IS NOT NULL"
    )
    return [row[0] for row in rows]


def release(db: Db, processes: Sequence[str]) -> list[UUID]:
    """Give back what these processes, which are gone, had claimed."""
    return [row[0] for row in db.execute(_RELEASE, [list(processes)])]


def _attempted(
    db: Db, one: Claimed, attempt: Attempt, status: str, next_attempt_at: datetime | None = None
) -> Cursor[TupleRow]:
    """Its answer has a row where the attempt counted."""
    return db.execute(
        _ATTEMPTED,
        {
            "id": one.id,
            "status": status,
            "error": attempt.error,
            "duration": attempt.duration_ms,
            "at": attempt.at,
            "next": next_attempt_at,
            "logged": LOGGED,
            "attempts": one.attempts,
            "by": one.claimed_by,
        },
    )


def _note_error(db: Db, one: Claimed, error: str | None, *, broken: bool) -> None:
    db.execute(
        "UPDATE notification_providers SET last_error_at = now(), last_error = %s, broken = broken OR %s WHERE id = %s",
        [error, broken, one.provider_id],
    )


def _hold(db: Db, alert_id: UUID) -> None:
    db.execute(_HOLD, [alert_id])


def _follow(db: Db, alert_id: UUID) -> None:
    db.execute(_FOLLOW, {"alert": alert_id})
