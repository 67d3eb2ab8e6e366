"""The latest rounds of monitors, for the round bars and the chart of the recent rounds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from web.http.extensions import db

#: A list looks back this far, to read fewer partitions. Monitors with rare checks have a shorter bar there.
LIST_DAYS = 7
DETAIL_DAYS = 32
_NEWEST = text(
    """
    SELECT wanted.id AS monitor_id, result.*
    FROM unnest(CAST(:ids AS uuid[])) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT scheduled_for, location, status, response_time_ms, error_code, error_message, consecutive_failure_count
        FROM monitor_results
        WHERE monitor_id = wanted.id AND scheduled_for > :since AND scheduled_for <= :until
        ORDER BY scheduled_for DESC
        LIMIT :rows
    ) AS result
    """
)


@dataclass(slots=True)
class Round:
    """One round of all its locations. `response_time_ms` is their mean, `reason` that of the first failure."""

    scheduled_for: datetime
    status: str = "error"
    response_time_ms: float | None = None
    reason: str = ""
    locations: list[Any] = field(default_factory=list)


def newest(
    monitors: Iterable[UUID], count: int, now: datetime, *, locations: int = 1, days: int = LIST_DAYS
) -> dict[UUID, list[Round]]:
    """Return the latest `count` rounds of each monitor, oldest first. A round has at most `locations` locations."""
    ids = list(monitors)
    if not ids:
        return {}
    rows = db.session.execute(
        _NEWEST,
        {
            "ids": ids,
            "since": now - timedelta(days=days),
            "until": now + timedelta(minutes=1),
            "rows": count * max(1, locations),
        },
    )
    rounds: dict[UUID, dict[datetime, Round]] = {monitor_id: {} for monitor_id in ids}
    for row in rows:
        known = rounds[row.monitor_id]
        known.setdefault(row.scheduled_for, Round(row.scheduled_for)).locations.append(row)
    return {
        monitor_id: [_summed_up(round_) for round_ in reversed(list(known.values())[:count])]
        for monitor_id, known in rounds.items()
    }


def _summed_up(round_: Round) -> Round:
    round_.status = status_of(round_.locations)
    times = [row.response_time_ms for row in round_.locations if row.response_time_ms is not None]
    round_.response_time_ms = sum(times) / len(times) if times else None
    failures = [row for row in round_.locations if row.status != "up"]
    if round_.status != "up" and failures:
        round_.reason = failures[0].error_message or failures[0].error_code or ""
    return round_


def status_of(rows: Sequence[Any]) -> str:
    """Return the status of a round from its rows, into which the verdict wrote the failure count.

    `error` rows are ignored. Before the verdict, one successful row makes the round up.
    """
    measured = [row for row in rows if row.status != "error"]
    if not measured:
        return "error"
    failed = any(row.consecutive_failure_count > 0 for row in measured) or all(row.status == "down" for row in measured)
    return "down" if failed else "up"
