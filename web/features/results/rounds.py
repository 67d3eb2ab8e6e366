"""The newest rounds of monitors, as the heartbeat bars and the short chart show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from web.http.extensions import db

#: A list looks back this far: fewer partitions to open. Rarer monitors show a shorter bar there.
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
    """One round: what its locations measured together. `response_time_ms` is their mean, `reason` the first failure's."""

    scheduled_for: datetime
    status: str = "error"
    response_time_ms: float | None = None
    reason: str = ""
    locations: list[Any] = field(default_factory=list)


def newest(
    monitors: Iterable[UUID], count: int, now: datetime, *, locations: int = 1, days: int = LIST_DAYS
) -> dict[UUID, list[Round]]:
    """The newest `count` rounds of each monitor, oldest first; `locations` is the most that one round may have."""
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
    rounds: dict[UUID, dict[datetime, Round]] = {one: {} for one in ids}
    for row in rows:
        known = rounds[row.monitor_id]
        known.setdefault(row.scheduled_for, Round(row.scheduled_for)).locations.append(row)
    return {
        one: [_summed_up(found) for found in reversed(list(known.values())[:count])] for one, known in rounds.items()
    }


def _summed_up(one: Round) -> Round:
    one.status = status_of(one.locations)
    times = [row.response_time_ms for row in one.locations if row.response_time_ms is not None]
    one.response_time_ms = sum(times) / len(times) if times else None
    failures = [row for row in one.locations if row.status != "up"]
    if one.status != "up" and failures:
        one.reason = failures[0].error_message or failures[0].error_code or ""
    return one


def status_of(rows: Sequence[Any]) -> str:
    """How a round went, from its rows: the verdict wrote the failure count into each of them.

    `error` rows do not count; before the verdict, one good row is enough to look up.
    """
    measured = [row for row in rows if row.status != "error"]
    if not measured:
        return "error"
    failed = any(row.consecutive_failure_count > 0 for row in measured) or all(row.status == "down" for row in measured)
    return "down" if failed else "up"
