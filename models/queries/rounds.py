"""Rounds under decision: what stands, what was measured, and what the verdict changes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.range import Range

from models.connections.database import Db
from models.queries import maintenance_windows

#: A round: (monitor, scheduled time).
Round = tuple[UUID, datetime]
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Standing:
    """A monitor's state, locked, with what of its configuration decides about it."""

    monitor_id: UUID
    project_id: UUID
    name: str
    type: str
    interval_seconds: int | None
    locations: dict[str, Any] | None
    failure_threshold: int
    recovery_threshold: int
    enabled: bool
    muted_until: datetime | None
    alerts_enabled: bool
    alert_on_failure: bool
    #: Whether the monitor has a notification provider that is enabled.
    has_provider: bool
    status: str
    last_verdict: str | None
    next_run_at: datetime | None
    last_check_at: datetime | None
    last_status_change_at: datetime | None
    last_response_time_ms: float | None
    last_error_code: str | None
    last_error_message: str | None
    consecutive_failures: int
    consecutive_successes: int
    failure_sequence: int
    alerts_sent: int
    hushed: str
    owing: bool
    down_since: datetime | None
    decided_for: datetime | None
    open_scheduled_for: datetime | None
    open_expected: list[str] | None
    open_deadline: datetime | None
    #: The maintenance windows that are on in the time asked for.
    windows: list[Range[datetime]]


class Measured(NamedTuple):
    """One location's stored outcome of a round."""

    monitor_id: UUID
    scheduled_for: datetime
    location: str | None
    expected_locations: list[str] | None
    status: str
    response_time_ms: float | None
    error_code: str | None
    error_message: str | None
    checked_at: datetime
    #: API.md's `details`; a round that is decided reads no more of them than messages tell, and of failures only.
    details: dict[str, Any] | None = None


class Mark(NamedTuple):
    """What the verdict writes onto all rows of a round."""

    monitor_id: UUID
    scheduled_for: datetime
    is_status_change: bool
    consecutive_failure_count: int
    alerts_sent: int


_STANDINGS = f"""
WITH windows AS MATERIALIZED ({maintenance_windows.ON})
SELECT m.id AS monitor_id, m.project_id, m.name, m.type, m.interval_seconds, m.config->'locationConfig' AS locations,
       m.failure_threshold, m.recovery_threshold, m.enabled, m.muted_until, m.alerts_enabled, m.alert_on_failure,
       EXISTS (SELECT FROM monitor_notification_settings n JOIN notification_providers p ON p.id = n.provider_id
               WHERE n.monitor_id = m.id AND p.enabled) AS has_provider,
       s.status, s.last_verdict, s.next_run_at, s.last_check_at, s.last_status_change_at, s.last_response_time_ms,
       s.last_error_code, s.last_error_message, s.consecutive_failures, s.consecutive_successes, s.failure_sequence,
       s.alerts_sent, s.hushed, s.owing, s.down_since, s.decided_for, s.open_scheduled_for, s.open_expected, s.open_deadline,
       ARRAY(SELECT tstzrange(w.begins, w.ends) FROM windows w WHERE {maintenance_windows.HOLDS_FOR}) AS windows
FROM monitor_states s JOIN monitors m ON m.id = s.monitor_id
WHERE s.monitor_id = ANY(%(ids)s)
ORDER BY s.monitor_id
FOR UPDATE OF s
"""

# The two outer bounds let PostgreSQL leave all other days' partitions alone.
_MEASURED = """
SELECT r.monitor_id, r.scheduled_for, r.location, r.expected_locations, r.status, r.response_time_ms, r.error_code,
       r.error_message, r.checked_at,
       CASE WHEN r.status = 'down' AND r.details ?| ARRAY['statusCode', 'timings'] THEN
           jsonb_build_object('statusCode', r.details->'statusCode', 'timings', r.details->'timings')
       END AS details
FROM unnest(%(ids)b::uuid[], %(times)b::timestamptz[]) AS v(monitor_id, scheduled_for)
JOIN monitor_results r ON r.monitor_id = v.monitor_id AND r.scheduled_for = v.scheduled_for
WHERE r.scheduled_for BETWEEN %(first)s AND %(last)s
ORDER BY r.location
"""

_SAVE = """
UPDATE monitor_states s
SET status = v.status, last_verdict = v.last_verdict, last_check_at = v.last_check_at,
    last_status_change_at = v.last_status_change_at, last_response_time_ms = v.last_response_time_ms,
    last_error_code = v.last_error_code, last_error_message = v.last_error_message,
    consecutive_failures = v.consecutive_failures, consecutive_successes = v.consecutive_successes,
    failure_sequence = v.failure_sequence, alerts_sent = v.alerts_sent, hushed = v.hushed, owing = v.owing,
    down_since = v.down_since, decided_for = v.decided_for,
    open_scheduled_for = v.open_scheduled_for,
    open_expected = CASE WHEN v.open_scheduled_for IS NULL THEN NULL ELSE s.open_expected END,
    open_deadline = CASE WHEN v.open_scheduled_for IS NULL THEN NULL ELSE s.open_deadline END
FROM unnest(%(monitor_id)b::uuid[], %(status)b::text[], %(last_verdict)b::text[], %(last_check_at)b::timestamptz[],
            %(last_status_change_at)b::timestamptz[], %(last_response_time_ms)b::float8[], %(last_error_code)b::text[],
            %(last_error_message)b::text[], %(consecutive_failures)b::int[], %(consecutive_successes)b::int[],
            %(failure_sequence)b::int[], %(alerts_sent)b::int[], %(hushed)b::text[], %(owing)b::bool[],
            %(down_since)b::timestamptz[],
            %(decided_for)b::timestamptz[], %(open_scheduled_for)b::timestamptz[])
     AS v(monitor_id, status, last_verdict, last_check_at, last_status_change_at, last_response_time_ms, last_error_code,
          last_error_message, consecutive_failures, consecutive_successes, failure_sequence, alerts_sent, hushed,
          owing, down_since, decided_for, open_scheduled_for)
WHERE s.monitor_id = v.monitor_id
"""

_SAVED_COLUMNS = (
    "monitor_id",
    "status",
    "last_verdict",
    "last_check_at",
    "last_status_change_at",
    "last_response_time_ms",
    "last_error_code",
    "last_error_message",
    "consecutive_failures",
    "consecutive_successes",
    "failure_sequence",
    "alerts_sent",
    "hushed",
    "owing",
    "down_since",
    "decided_for",
    "open_scheduled_for",
)

_MARK = """
UPDATE monitor_results r
SET is_status_change = v.changed, consecutive_failure_count = v.failures, alerts_sent_for_failure = v.alerts
FROM unnest(%(ids)b::uuid[], %(times)b::timestamptz[], %(changed)b::bool[], %(failures)b::int[], %(alerts)b::int[])
     AS v(monitor_id, scheduled_for, changed, failures, alerts)
WHERE r.monitor_id = v.monitor_id AND r.scheduled_for = v.scheduled_for
  AND r.scheduled_for BETWEEN %(first)s AND %(last)s
"""

# Left behind: the deadline has passed, or every location has answered and nobody was told. A missed heartbeat asks no
# location, and has its one answer all the same.
_LEFT_BEHIND = """
SELECT s.monitor_id, s.open_scheduled_for
FROM monitor_states s
WHERE s.open_scheduled_for IS NOT NULL
  AND (s.open_deadline <= %(now)s
       OR (s.open_scheduled_for <= %(settled)s
           AND greatest(cardinality(s.open_expected), 1) <= (
               SELECT count(*) FROM monitor_results r
               WHERE r.monitor_id = s.monitor_id AND r.scheduled_for = s.open_scheduled_for)))
ORDER BY s.open_deadline
LIMIT %(limit)s
"""

# Pings are rounds that nobody opened: those after the last decision whose message was lost.
_UNDECIDED_PINGS = """
SELECT r.monitor_id, r.scheduled_for
FROM monitor_states s
JOIN monitors m ON m.id = s.monitor_id AND m.enabled AND m.type = 'heartbeat'
JOIN monitor_results r ON r.monitor_id = s.monitor_id AND r.scheduled_for <= s.last_ping_at
     AND (s.decided_for IS NULL OR r.scheduled_for > s.decided_for)
WHERE s.last_ping_at <= %(settled)s AND (s.decided_for IS NULL OR s.decided_for < s.last_ping_at)
ORDER BY r.scheduled_for
LIMIT %(limit)s
"""

# The same of some monitors, each from its last decision on; the bound leaves older partitions alone.
_UNDECIDED_OF = """
SELECT DISTINCT r.monitor_id, r.scheduled_for
FROM unnest(%(ids)b::uuid[], %(after)b::timestamptz[]) AS v(monitor_id, after)
JOIN monitor_results r ON r.monitor_id = v.monitor_id AND r.scheduled_for > v.after
WHERE r.scheduled_for > %(first)s
"""

_COMPLETE = """
SELECT v.monitor_id, v.scheduled_for
FROM unnest(%(ids)b::uuid[], %(times)b::timestamptz[], %(wanted)b::int[]) AS v(monitor_id, scheduled_for, wanted)
WHERE v.wanted <= (SELECT count(*) FROM monitor_results r
                   WHERE r.monitor_id = v.monitor_id AND r.scheduled_for = v.scheduled_for)
"""


def lock_standings(db: Db, monitor_ids: Iterable[UUID], earliest: datetime, latest: datetime) -> dict[UUID, Standing]:
    """The states of those monitors that still exist, locked in one order, so that two batches never wait on each other.

    With the maintenance windows that are on at some time between `earliest` and `latest`.
    """
    values = {"ids": list(monitor_ids), "earliest": earliest, "latest": latest}
    with db.cursor(row_factory=class_row(Standing)) as cursor:
        return {row.monitor_id: row for row in cursor.execute(_STANDINGS, values)}


def measured(db: Db, rounds: Sequence[Round]) -> dict[Round, list[Measured]]:
    """What was stored for each round; a round without results is absent."""
    found: dict[Round, list[Measured]] = defaultdict(list)
    if rounds:
        with db.cursor(row_factory=class_row(Measured)) as cursor:
            for row in cursor.execute(_MEASURED, _spread(rounds)):
                found[row.monitor_id, row.scheduled_for].append(row)
    return found


def save(db: Db, standings: Sequence[Standing]) -> None:
    """Write the states back."""
    if standings:
        db.execute(_SAVE, {name: [getattr(one, name) for one in standings] for name in _SAVED_COLUMNS})


def mark(db: Db, marks: Sequence[Mark]) -> None:
    """Write onto the rounds' rows what their verdict was part of."""
    if marks:
        values = _spread([(one.monitor_id, one.scheduled_for) for one in marks])
        values["changed"] = [one.is_status_change for one in marks]
        values["failures"] = [one.consecutive_failure_count for one in marks]
        values["alerts"] = [one.alerts_sent for one in marks]
        db.execute(_MARK, values)


def try_again(db: Db, monitor_ids: Sequence[UUID], at: datetime) -> None:
    """Have these monitors, whose decision is saved, checked at `at` unless their next slot comes before.

    Paused ones stay paused, and a heartbeat that was pinged since has its new deadline.
    """
    if monitor_ids:
        db.execute(
            "UPDATE monitor_states SET next_run_at = %s WHERE monitor_id = ANY(%s) AND next_run_at > %s"
            " AND (last_ping_at IS NULL OR last_ping_at <= decided_for)",
            [at, list(monitor_ids), at],
        )


def complete(db: Db, rounds: Sequence[tuple[UUID, datetime, int]]) -> list[Round]:
    """Those of (monitor, scheduled time, wanted locations) whose locations have all answered."""
    if not rounds:
        return []
    values = {
        "ids": [one[0] for one in rounds],
        "times": [one[1] for one in rounds],
        "wanted": [one[2] for one in rounds],
    }
    return [(row[0], row[1]) for row in db.execute(_COMPLETE, values)]


def left_behind(db: Db, now: datetime, settled: datetime, limit: int = 1000) -> list[Round]:
    """Open rounds past their deadline, and complete ones scheduled before `settled` that nobody decided."""
    return [(row[0], row[1]) for row in db.execute(_LEFT_BEHIND, {"now": now, "settled": settled, "limit": limit})]


def undecided_pings(db: Db, settled: datetime, limit: int = 1000) -> list[Round]:
    """Heartbeat pings that came before `settled` and that nobody decided, the oldest first."""
    return [(row[0], row[1]) for row in db.execute(_UNDECIDED_PINGS, {"settled": settled, "limit": limit})]


def undecided_of(db: Db, standings: Iterable[Standing]) -> list[Round]:
    """What is stored of these monitors since the last decision about each: pings, for heartbeats, that came in no order."""
    after = {one.monitor_id: one.decided_for or _LONG_AGO for one in standings}
    if not after:
        return []
    values = {"ids": list(after), "after": list(after.values()), "first": min(after.values())}
    return [(row[0], row[1]) for row in db.execute(_UNDECIDED_OF, values)]


def _spread(rounds: Sequence[Round]) -> dict[str, Any]:
    times = [one[1] for one in rounds]
    return {"ids": [one[0] for one in rounds], "times": times, "first": min(times), "last": max(times)}
