"""What is told of a decided round: the alert row to be, and the event for open pages. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from actors.alerts.policy import MissingRecipient
from actors.runtime.correlation import current
from actors.verdicts import live, transition
from actors.verdicts.suppression import Hush, Span, in_maintenance
from models.queries.outbox import NewAlert
from models.queries.rounds import Measured, Standing


def spans(standing: Standing) -> list[Span]:
    """The windows that came with `standing`, as (begin, end)."""
    return [(one.lower, one.upper) for one in standing.windows if one.lower is not None and one.upper is not None]


def alert_of(
    standing: Standing,
    previous: str,
    step: transition.Step,
    telling: Measured | None,
    found: Sequence[Measured],
    now: datetime,
    hushed: Hush | MissingRecipient | None = None,
) -> NewAlert:
    """The alert that `step` tells or puts on record; `telling` explains it, `found` are all answers of its round."""
    told = step.told
    assert told is not None, "called only where something is to be told"
    down_since = step.outage_began if told.kind == "up" else standing.down_since
    # The end of an outage may be told later than it came.
    until = (standing.last_status_change_at or now) if told.kind == "up" else now
    code = telling.error_code if telling else None
    kind = "monitor.up" if told.kind == "up" else "heartbeat.missed" if code == "HEARTBEAT_MISSED" else "monitor.down"
    context: dict[str, Any] = {
        "status": standing.status,
        "previousStatus": previous,
        "errorCode": code,
        "responseTimeMs": telling.response_time_ms if telling else None,
        **((telling and telling.details) or {}),
        "checkedAt": telling.checked_at.isoformat() if telling else None,
        "consecutiveFailureCount": standing.consecutive_failures,
        "downSince": down_since.isoformat() if down_since else None,
        "downForSeconds": max(0, round((until - down_since).total_seconds())) if down_since else None,
        "locations": [
            {
                "location": row.location,
                "status": row.status,
                "responseTimeMs": row.response_time_ms,
                "error": row.error_message,
            }
            for row in found
            if row.location is not None
        ],
    }
    reason = "Recovered." if told.kind == "up" else (telling.error_message if telling else "") or "The check failed."
    return NewAlert(
        id=uuid4(),
        project_id=standing.project_id,
        monitor_id=standing.monitor_id,
        monitor_name=standing.name,
        type=kind,
        failure_sequence=standing.failure_sequence,
        alert_number=told.number,
        reason=reason,
        context=context,
        correlation_id=current(),
        suppressed_because=_held_back(told, hushed),
    )


def _held_back(told: transition.Told, hushed: Hush | MissingRecipient | None) -> str | None:
    if told.over_limit:
        return f"limit: the limit of {transition.ALERT_LIMIT} alerts for this outage was reached"
    return hushed.sentence if told.hushed and hushed else None


def event_of(standing: Standing, previous: str, word: str, telling: Measured | None, now: datetime) -> live.Event:
    """The decided round as open pages hear of it."""
    shown = "error" if word == "error" else standing.status
    if in_maintenance(spans(standing), now):
        shown = "maintenance"
    return live.Event(
        project_id=standing.project_id,
        monitor_id=standing.monitor_id,
        status=shown,
        previous_status=previous,
        last_check_at=standing.last_check_at,
        next_run_at=standing.next_run_at,
        result=telling,
    )
