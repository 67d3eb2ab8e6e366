"""Rounds: their stored results, what the decision adds to them, and which ones can be decided."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from models.connections.database import Db
from models.queries.monitor_states import MonitorSnapshot

#: A round: (monitor id, scheduled time).
Round = tuple[UUID, datetime]
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class LocationResult(NamedTuple):
    """The stored result of one location in a round."""

    monitor_id: UUID
    scheduled_for: datetime
    location: str | None
    expected_locations: list[str] | None
    status: str
    response_time_ms: float | None
    error_code: str | None
    error_message: str | None
    checked_at: datetime
    #: API.md's `details`. For a round that is decided: only what messages need, and only of failures.
    details: dict[str, Any] | None = None


class ResultAnnotation(NamedTuple):
    """What the decision of a round adds to each of its results."""

    monitor_id: UUID
    scheduled_for: datetime
    is_status_change: bool
    consecutive_failure_count: int
    alerts_sent: int


# The two outer bounds restrict the scan to the partitions of these days.
_RESULTS = """
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

_ANNOTATE = """
UPDATE monitor_results r
SET is_status_change = v.changed, consecutive_failure_count = v.failures, alerts_sent_for_failure = v.alerts
FROM unnest(%(ids)b::uuid[], %(times)b::timestamptz[], %(changed)b::bool[], %(failures)b::int[], %(alerts)b::int[])
     AS v(monitor_id, scheduled_for, changed, failures, alerts)
WHERE r.monitor_id = v.monitor_id AND r.scheduled_for = v.scheduled_for
  AND r.scheduled_for BETWEEN %(first)s AND %(last)s
"""

# Overdue: the deadline has passed, or all locations have answered and the message to decide the round was lost. A missed
# heartbeat expects no location and has one result.
_OVERDUE = """
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

# A ping is a round that was never open: a lost message shows as a result after the last decision.
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

# The results of some monitors after the last decision of each. The outer bound excludes older partitions.
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


def results(db: Db, rounds: Sequence[Round]) -> dict[Round, list[LocationResult]]:
    """Return the stored results of each round; a round without results is absent."""
    by_round: dict[Round, list[LocationResult]] = defaultdict(list)
    if rounds:
        with db.cursor(row_factory=class_row(LocationResult)) as cursor:
            for result in cursor.execute(_RESULTS, _parameters(rounds)):
                by_round[result.monitor_id, result.scheduled_for].append(result)
    return by_round


def annotate(db: Db, annotations: Sequence[ResultAnnotation]) -> None:
    """Write the annotations onto the results of their rounds."""
    if annotations:
        values = _parameters([(annotation.monitor_id, annotation.scheduled_for) for annotation in annotations])
        values["changed"] = [annotation.is_status_change for annotation in annotations]
        values["failures"] = [annotation.consecutive_failure_count for annotation in annotations]
        values["alerts"] = [annotation.alerts_sent for annotation in annotations]
        db.execute(_ANNOTATE, values)


def complete(db: Db, rounds: Sequence[tuple[UUID, datetime, int]]) -> list[Round]:
    """Return those of (monitor id, scheduled time, number of expected results) that have all their results."""
    if not rounds:
        return []
    monitor_ids, times, wanted = zip(*rounds, strict=True)
    values = {"ids": list(monitor_ids), "times": list(times), "wanted": list(wanted)}
    return [(row[0], row[1]) for row in db.execute(_COMPLETE, values)]


def overdue(db: Db, now: datetime, settled: datetime, limit: int = 1000) -> list[Round]:
    """Return open rounds past their deadline, and undecided complete ones that were scheduled before `settled`."""
    return [(row[0], row[1]) for row in db.execute(_OVERDUE, {"now": now, "settled": settled, "limit": limit})]


def undecided_pings(db: Db, settled: datetime, limit: int = 1000) -> list[Round]:
    """Return the undecided heartbeat pings that arrived before `settled`, oldest first."""
    return [(row[0], row[1]) for row in db.execute(_UNDECIDED_PINGS, {"settled": settled, "limit": limit})]


def undecided_of(db: Db, heartbeats: Iterable[MonitorSnapshot]) -> list[Round]:
    """Return the pings of these heartbeats that were stored after the last decision of each, in no order."""
    after = {heartbeat.monitor_id: heartbeat.state.decided_for or _LONG_AGO for heartbeat in heartbeats}
    if not after:
        return []
    values = {"ids": list(after), "after": list(after.values()), "first": min(after.values())}
    return [(row[0], row[1]) for row in db.execute(_UNDECIDED_OF, values)]


def _parameters(rounds: Sequence[Round]) -> dict[str, Any]:
    times = [scheduled_for for _, scheduled_for in rounds]
    return {
        "ids": [monitor_id for monitor_id, _ in rounds],
        "times": times,
        "first": min(times),
        "last": max(times),
    }
