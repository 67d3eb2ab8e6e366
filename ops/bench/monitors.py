"""Insert the benchmark's monitors into the tables, and compute figures from their results."""

import json
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg

from ops.bench.target import KEYWORD

Connection = psycopg.Connection[Any]

#: The minimum duration of a start: after a restart, at least this part of the interval has passed.
START_SECONDS = 2


class Figures(NamedTuple):
    """Figures of the results in a period; lateness in milliseconds."""

    checks: int
    missed: int
    not_up: int
    late_p50: float
    late_p99: float


def create(
    db: Connection, count: int, interval: int, url: str, *, hook: str = "", spread: bool = False, timeout: int = 10
) -> None:
    """Create `count` HTTP monitors with a keyword, which are due at once. If `hook` is set, alerts go to this webhook.

    `spread` distributes their first checks over one interval, as after a restart.
    """
    (project,) = db.execute("SELECT id FROM projects LIMIT 1").fetchone() or (None,)
    assert isinstance(project, UUID)
    config = json.dumps({"keywordInBody": KEYWORD, "timeoutSeconds": timeout})
    ids = [uuid4() for _ in range(count)]
    with db.transaction():
        db.execute(
            "INSERT INTO monitors (id, project_id, name, type, target, interval_seconds, config)"
            " SELECT id, %s, 'Bench ' || id, 'http_request', %s, %s, %s FROM unnest(%s::uuid[]) AS v(id)",
            [project, url, interval, config, ids],
        )
        if hook:
            provider = uuid4()
            db.execute(
                "INSERT INTO notification_providers (id, project_id, name, type, config)"
                " VALUES (%s, %s, 'Hook', 'webhook', %s)",
                [provider, project, json.dumps({"url": hook})],
            )
            db.execute(
                "INSERT INTO monitor_notification_settings (monitor_id, provider_id) SELECT unnest(%s::uuid[]), %s",
                [ids, provider],
            )
        db.execute(
            "INSERT INTO monitor_states (monitor_id, next_run_at)"
            " SELECT id, now() + %s * random() * interval '1 second' FROM unnest(%s::uuid[]) AS v(id)",
            [interval - START_SECONDS if spread else 0, ids],
        )


def checked(db: Connection) -> int:
    """Return how many monitors have at least one verdict."""
    row = db.execute("SELECT count(*) FROM monitor_states WHERE decided_for IS NOT NULL").fetchone()
    assert row is not None
    return int(row[0])


def now(db: Connection) -> datetime:
    """Return the current time of the database."""
    row = db.execute("SELECT now()").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


def skipped(db: Connection, target: str) -> int:
    """Return how many fire times the monitors of `target` have skipped so far."""
    row = db.execute(
        "SELECT coalesce(sum(skipped_slots), 0) FROM monitor_states s JOIN monitors m ON m.id = s.monitor_id"
        " WHERE m.target = %s",
        [target],
    ).fetchone()
    assert row is not None
    return int(row[0])


def figures(db: Connection, since: datetime, seconds: float, skipped_before: int, target: str) -> Figures:
    """Return the figures of checks of the monitors of `target` that were scheduled within `seconds` from `since`.

    Missed are the skipped fire times, and the gaps between the fire times of a monitor's results.
    """
    row = db.execute(
        """
        WITH r AS (
            SELECT *, extract(epoch FROM scheduled_for - lag(scheduled_for) OVER (PARTITION BY monitor_id
                      ORDER BY scheduled_for)) AS step,
                   extract(epoch FROM checked_at - scheduled_for) * 1000 AS late
            FROM monitor_results
            WHERE monitor_id IN (SELECT id FROM monitors WHERE target = %(target)s) AND scheduled_for >= %(since)s AND scheduled_for < %(since)s + %(seconds)s * interval '1 second'
        )
        SELECT count(*),
               coalesce(sum(round(step / m.interval_seconds) - 1) FILTER (WHERE step IS NOT NULL), 0)
                   + (SELECT sum(skipped_slots) FROM monitor_states JOIN monitors ON id = monitor_id
                      WHERE target = %(target)s) - %(skipped)s,
               count(*) FILTER (WHERE status <> 'up'),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY late), percentile_cont(0.99) WITHIN GROUP (ORDER BY late)
        FROM r JOIN monitors m ON m.id = r.monitor_id
        """,
        {"since": since, "seconds": seconds, "skipped": skipped_before, "target": target},
    ).fetchone()
    assert row is not None and row[0], "nothing was checked"
    return Figures(int(row[0]), int(row[1]), int(row[2]), float(row[3]), float(row[4]))
