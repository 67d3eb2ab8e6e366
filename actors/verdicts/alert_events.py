"""What follows from a decided round for people: the alert to store, and the event for open pages. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from actors.runtime.correlation import current
from actors.verdicts import live
from actors.verdicts.suppression import Span, in_maintenance
from actors.verdicts.transition import ALERT_LIMIT, AlertDecision, Transition
from models.queries.monitor_states import MonitorSnapshot
from models.queries.outbox import NewAlert
from models.queries.rounds import LocationResult
from models.rules.monitor_state import State


def spans(snapshot: MonitorSnapshot) -> list[Span]:
    """Return the maintenance windows of `snapshot` as (start, end)."""
    return [
        (window.lower, window.upper)
        for window in snapshot.windows
        if window.lower is not None and window.upper is not None
    ]


def alert_of(
    snapshot: MonitorSnapshot,
    change: Transition,
    explanation: LocationResult | None,
    results: Sequence[LocationResult],
    now: datetime,
    suppression_reason: str | None = None,
) -> NewAlert:
    """Return the alert of `change`, a transition with an alert from the state of `snapshot`.

    `explanation` is the result that explains the verdict, `results` are all results of the round. `suppression_reason` says why the
    alert is suppressed, if it is.
    """
    alert = change.alert
    assert alert is not None, "the transition has an alert"
    recovered = alert.kind == "up"
    code = explanation.error_code if explanation else None
    failure = "heartbeat.missed" if code == "HEARTBEAT_MISSED" else "monitor.down"
    reason = (explanation.error_message if explanation else "") or "The check failed."
    return NewAlert(
        id=uuid4(),
        project_id=snapshot.project_id,
        monitor_id=snapshot.monitor_id,
        monitor_name=snapshot.name,
        type="monitor.up" if recovered else failure,
        failure_sequence=change.state.failure_sequence,
        alert_number=alert.number,
        reason="Recovered." if recovered else reason,
        context=_context(snapshot, change, explanation, now)
        | {"locations": [_location(result) for result in results if result.location is not None]},
        correlation_id=current(),
        suppressed_because=_suppressed_because(alert, suppression_reason),
    )


def _context(
    snapshot: MonitorSnapshot, change: Transition, explanation: LocationResult | None, now: datetime
) -> dict[str, Any]:
    recovered = change.alert is not None and change.alert.kind == "up"
    down_since = change.outage_began if recovered else change.state.down_since
    # A recovery alert that was pending is sent later than the outage ended.
    ended_before = recovered and not change.status_changed
    until = (snapshot.state.last_status_change_at or now) if ended_before else now
    return {
        "status": change.state.status,
        "previousStatus": snapshot.state.status,
        "errorCode": explanation.error_code if explanation else None,
        "responseTimeMs": explanation.response_time_ms if explanation else None,
        **((explanation and explanation.details) or {}),
        "checkedAt": explanation.checked_at.isoformat() if explanation else None,
        "consecutiveFailureCount": change.state.consecutive_failures,
        "downSince": down_since.isoformat() if down_since else None,
        "downForSeconds": max(0, round((until - down_since).total_seconds())) if down_since else None,
    }


def _location(result: LocationResult) -> dict[str, Any]:
    return {
        "location": result.location,
        "status": result.status,
        "responseTimeMs": result.response_time_ms,
        "error": result.error_message,
    }


def _suppressed_because(alert: AlertDecision, held_back: str | None) -> str | None:
    if alert.over_limit:
        return f"limit: the limit of {ALERT_LIMIT} alerts for this outage was reached"
    return held_back if alert.suppressed else None


def event_of(
    snapshot: MonitorSnapshot, state: State, verdict: str, explanation: LocationResult | None, now: datetime
) -> live.Event:
    """Return the event for open pages: a round with `verdict` moved the monitor of `snapshot` to `state`."""
    shown = "error" if verdict == "error" else state.status
    if in_maintenance(spans(snapshot), now):
        shown = "maintenance"
    return live.Event(
        project_id=snapshot.project_id,
        monitor_id=snapshot.monitor_id,
        status=shown,
        previous_status=snapshot.state.status,
        last_check_at=state.last_check_at,
        next_run_at=snapshot.next_run_at,
        result=explanation,
    )
