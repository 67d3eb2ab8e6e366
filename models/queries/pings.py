"""Records heartbeat pings: one statement and one commit each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from models.connections.database import Db
from models.rules import heartbeats, histogram


class Kind(StrEnum):
    """The kind of a ping, as in `heartbeat_pings.kind`."""

    SUCCESS = "success"
    FAIL = "fail"
    START = "start"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping as it arrived.

    `source` is API.md's `{ip, userAgent, origin, method}`, `run_id` pairs a start with its end, `message` says what failed,
    and `key_hash` is the SHA-256 of the request's API key. `body` is the part that is stored. If more was read, `whole` is all
    of it, or `has_keyword` says whether it contains the expected keyword.
    """

    id: UUID
    token_hash: bytes
    received_at: datetime
    kind: Kind
    source: Mapping[str, Any]
    exit_code: int | None = None
    run_id: UUID | None = None
    body: str | None = None
    message: str | None = None
    key_hash: bytes | None = None
    whole: bytes | None = None
    has_keyword: bool | None = None

    @property
    def is_cut(self) -> bool:
        """Return whether more was read than is stored."""
        return self.whole is not None or self.has_keyword is not None


class Recorded(NamedTuple):
    """The outcome of recording a ping.

    `refused`: the monitor requires an API key of its project, and the request had none; nothing was written.
    `undecided`: the ping may change the monitor's status, which `heartbeat_ping` decides.
    `status` and `next_run_at` are the monitor's new ones (None if it is paused), `duration_ms` is that of the run that ended,
    `keyword` is what the monitor expects in a body.
    """

    monitor_id: UUID
    refused: bool
    undecided: bool
    project_id: UUID
    status: str | None = None
    next_run_at: datetime | None = None
    duration_ms: float | None = None
    keyword: str | None = None


#: Insignificant blanks: after commas, inside parentheses, around operators.
_AROUND = re.compile(r" ?(,|(?<= )(?:<=|>=|<>|=|<|>|\+|\*|\|\|)(?= )) ?|(?<=\() | (?=\))")


def _compact(statement: str) -> str:
    """Return `statement` without its layout: psycopg caches the parsed form of a statement only up to 4,096 characters."""
    return _AROUND.sub(lambda match: match[1] or "", " ".join(statement.split()))


_KEYWORD_MISSING = "The ping arrived, but its body lacks the expected keyword."

# The monitor, and whether the ping is accepted. `open`: Python must compute a value first (the deadline by a cron expression,
# or whether a long body contains the keyword), so nothing is written and the statement runs again.
_FOUND = """
    SELECT m.id, m.project_id, m.enabled, m.config,
        coalesce((m.config->>'requireApiKey')::boolean, false) AND NOT EXISTS (
            SELECT FROM api_keys k WHERE k.key_hash = %(key)s::bytea AND k.project_id = m.project_id
            AND k.revoked_at IS NULL AND coalesce(k.expires_at > %(at)s, true)) AS refused,
        m.config->>'expectKeyword' AS word,
        m.enabled AND m.config->>'cronExpression' IS NOT NULL AND %(due)s::timestamptz IS NULL
            OR %(cut)s AND %(has)s::bool IS NULL AND m.config->>'expectKeyword' IS NOT NULL AS open
    FROM monitors m WHERE m.heartbeat_token_hash = %(token)s
"""

# Up with no alert pending, every earlier ping decided, and no open round: one more success changes nothing and is decided here.
_SETTLED = (
    "status = 'up' AND last_verdict = 'up' AND consecutive_failures = 0 AND alerts_sent = 0"
    " AND open_scheduled_for IS NULL AND decided_for >= last_ping_at AND decided_for < %(at)s"
)

# A miss was decided for a deadline that this ping met, before the ping could be stored. `decided_for` moves back, so that
# the ping is decided too.
_MISSED_AFTER = (
    "decided_for >= %(at)s AND last_verdict = 'down' AND last_error_code = 'HEARTBEAT_MISSED'"
    " AND coalesce(last_ping_at < %(at)s, true)"
)

# A body is stored once: with the result, or with the ping if the ping gives no result.
# A ping in a maintenance window is marked and not added to the rollup. Database functions keep the statement short:
# `maintenance_mark`, `start_of_run` (the start that matches the end of a run with an id), `open_runs_must_end` (the limit of
# other runs).
_END = _compact(f"""
WITH found AS ({_FOUND}),
taken AS (
    SELECT id, enabled,
        %(good)s AND (word IS NULL OR coalesce(%(has)s::bool, strpos(coalesce(%(body)s::text, ''), word) > 0)) AS good,
        CASE WHEN %(run)s::uuid IS NOT NULL THEN start_of_run(id, %(run)s) END AS start,
        coalesce(%(due)s, %(at)s + {heartbeats.PERIOD_SQL}) AS due,
        open_runs_must_end(id, %(at)s, %(run)s::uuid, (config->>'maxRunMinutes')::float8) AS limit_at
    FROM found WHERE NOT refused AND NOT open
),
moved AS (
    UPDATE monitor_states s SET
        last_ping_at = greatest(last_ping_at, %(at)s), last_run_at = greatest(last_run_at, %(at)s),
        last_check_at = greatest(last_check_at, %(at)s),
        next_run_at = CASE WHEN last_ping_at > %(at)s THEN next_run_at ELSE least(due, limit_at) END,
        last_response_time_ms = abs(1000 * extract(epoch FROM
            %(at)s - CASE WHEN %(run)s::uuid IS NULL THEN run_started_at ELSE start END)),
        run_started_at = CASE WHEN %(run)s::uuid IS NOT NULL AND run_started_at IS DISTINCT FROM start
            THEN run_started_at END,
        decided_for = CASE WHEN t.good AND {_SETTLED} THEN %(at)s
            WHEN {_MISSED_AFTER} THEN %(at)s - interval '1us' ELSE decided_for END,
        open_scheduled_for = CASE WHEN open_scheduled_for < %(at)s THEN open_scheduled_for END
    FROM taken t WHERE s.monitor_id = t.id AND t.enabled
    RETURNING t.id, t.good, maintenance_mark(t.id, %(at)s) AS mark, s.last_response_time_ms AS took, s.decided_for = %(at)s AS decided, s.next_run_at, s.status
),
ping AS (
    INSERT INTO heartbeat_pings (id, monitor_id, received_at, kind, exit_code, duration_ms, run_id, source, body)
    SELECT %(id)s, t.id, %(at)s, CASE WHEN t.good THEN 'success' ELSE 'fail' END, %(exit)s::int, m.took,
        %(run)s::uuid, %(source)s, CASE WHEN m.id IS NULL THEN %(body)s::text END
    FROM taken t LEFT JOIN moved m ON true
),
result AS (
    INSERT INTO monitor_results (id, scheduled_for, checked_at, monitor_id, expected_locations, status,
        response_time_ms, error_code, error_message, details)
    SELECT %(id)s, %(at)s, %(at)s, id, '{{}}', CASE WHEN good THEN 'up' ELSE 'down' END, took,
        CASE WHEN NOT good THEN %(code)s END, CASE WHEN NOT good THEN %(message)s END,
        %(details)s || mark
    FROM moved
),
rollup AS (
    INSERT INTO monitor_rollups_hourly AS r (monitor_id, hour, location, up, down,
        response_count, response_sum, response_min, response_max, histogram)
    SELECT id, date_trunc('hour', %(at)s), '', good::int, (NOT good)::int,
        (ms IS NOT NULL)::int, coalesce(ms, 0), ms, ms,
        CASE WHEN ms IS NULL THEN array_fill(0, ARRAY[{histogram.BUCKETS}]) ELSE histogram_of(ms) END
    FROM (SELECT id, good, CASE WHEN good THEN took END AS ms FROM moved WHERE mark = '{{}}') m
    ON CONFLICT (monitor_id, hour, location) DO UPDATE SET
        up = r.up + excluded.up, down = r.down + excluded.down,
        response_count = r.response_count + excluded.response_count,
        response_sum = r.response_sum + excluded.response_sum,
        response_min = least(r.response_min, excluded.response_min),
        response_max = greatest(r.response_max, excluded.response_max),
        histogram[histogram_bucket(excluded.response_sum) + 1] =
            r.histogram[histogram_bucket(excluded.response_sum) + 1] + excluded.response_count
)
SELECT f.id, f.refused, CASE WHEN f.open THEN f.config END,
    m.id IS NOT NULL AND m.decided IS NOT TRUE, f.project_id, m.status, m.next_run_at, m.took, f.word
FROM found f LEFT JOIN moved m ON true
""")

# `/start` and `/log` give no result. A start whose end must follow within `maxRunMinutes` may only bring the deadline forward.
# A start that is recorded after its end (it was buffered, or overtaken) changes nothing.
_NOTE = _compact(f"""
WITH found AS ({_FOUND}),
moved AS (
    UPDATE monitor_states s SET run_started_at = %(at)s,
        next_run_at = least(s.next_run_at, %(at)s + make_interval(secs => 60 * (f.config->>'maxRunMinutes')::float8))
    FROM found f WHERE s.monitor_id = f.id AND f.enabled AND NOT f.refused AND %(kind)s::text = 'start'
        AND coalesce(s.last_ping_at < %(at)s, true)
),
ping AS (
    INSERT INTO heartbeat_pings (id, monitor_id, received_at, kind, run_id, source, body)
    SELECT %(id)s, id, %(at)s, %(kind)s::text, %(run)s::uuid, %(source)s, %(body)s::text
    FROM found WHERE NOT refused
)
SELECT f.id, f.refused, NULL::jsonb, false, f.project_id,
    CASE WHEN s.last_verdict = 'error' THEN 'error' ELSE s.status END, s.next_run_at, NULL::float8, f.word
FROM found f LEFT JOIN monitor_states s ON s.monitor_id = f.id AND f.enabled
""")


def record(db: Db, ping: Ping) -> Recorded | None:
    """Store `ping` and its result, and move its monitor's deadline. Return None if no monitor has that token.

    A ping of a paused monitor is stored and changes nothing else. Everything happens in one statement, so `db` may be in
    autocommit mode. Raises psycopg's errors.
    """
    ends = ping.kind in (Kind.SUCCESS, Kind.FAIL)
    statement, values = (_END, _end_values(ping)) if ends else (_NOTE, _values(ping))
    row = db.execute(statement, values, prepare=True).fetchone()
    if row is not None and row[2] is not None:
        config = row[2]
        if config.get("cronExpression"):
            state = db.execute("SELECT next_run_at FROM monitor_states WHERE monitor_id = %s", [row[0]]).fetchone()
            values["due"] = heartbeats.deadline_after_ping(config, ping.received_at, state[0] if state else None)
        if ping.whole is not None:
            values["has"] = str(config.get("expectKeyword") or "") in ping.whole.decode("utf-8", "replace")
        row = db.execute(statement, values, prepare=True).fetchone()
    return None if row is None else Recorded(row[0], row[1], *row[3:])


def recorded_before(db: Db, ping_id: UUID) -> Recorded | None:
    """Return the outcome of a ping that is stored already, as undecided to be safe; None if there is none."""
    row = db.execute(
        "SELECT p.monitor_id, m.project_id FROM heartbeat_pings p JOIN monitors m ON m.id = p.monitor_id WHERE p.id = %s",
        [ping_id],
    ).fetchone()
    return None if row is None else Recorded(row[0], refused=False, undecided=True, project_id=row[1])


_DELETE_MISSES = """
WITH gone AS (
    DELETE FROM monitor_results r USING unnest(%(ids)s::uuid[], %(times)s::timestamptz[]) AS v(monitor_id, scheduled_for)
    WHERE r.monitor_id = v.monitor_id AND r.scheduled_for = v.scheduled_for AND r.error_code = 'HEARTBEAT_MISSED'
      AND r.consecutive_failure_count = 0
    RETURNING r.monitor_id, r.scheduled_for, r.details
)
UPDATE monitor_rollups_hourly h SET down = h.down - 1 FROM gone g
WHERE NOT g.details ? 'maintenance' AND h.monitor_id = g.monitor_id AND h.location = '' AND h.hour = date_trunc('hour', g.scheduled_for)
"""


def delete_misses(db: Db, rounds: Sequence[tuple[UUID, datetime]]) -> None:
    """Delete the undecided misses of these (monitor id, scheduled time): a ping arrived in time and was stored a moment later.

    A miss that was decided stays.
    """
    if rounds:
        db.execute(_DELETE_MISSES, {"ids": [row[0] for row in rounds], "times": [row[1] for row in rounds]})


def _values(ping: Ping) -> dict[str, Any]:
    return {
        "id": ping.id,
        "at": ping.received_at,
        "token": ping.token_hash,
        "key": ping.key_hash,
        "kind": ping.kind.value,
        "run": ping.run_id,
        "source": Jsonb(ping.source),
        "body": ping.body,
        "due": None,
        "cut": False,
        "has": None,
    }


def _end_values(ping: Ping) -> dict[str, Any]:
    details: dict[str, Any] = {"source": ping.source}
    if ping.exit_code is not None:
        details["exitCode"] = ping.exit_code
    if ping.body is not None:
        details["body"] = ping.body
    good = ping.kind is Kind.SUCCESS
    return _values(ping) | {
        "good": good,
        "cut": good and ping.is_cut,
        "has": ping.has_keyword,
        "exit": ping.exit_code,
        # A success ping can fail only because its body lacks the keyword.
        "code": "KEYWORD_MISSING" if good else "HEARTBEAT_FAILED",
        "message": _KEYWORD_MISSING if good else ping.message,
        "details": Jsonb(details),
    }
