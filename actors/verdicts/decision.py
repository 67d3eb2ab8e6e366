"""Decides one round: a monitor's snapshot and the results of the round in, one `Decision` out. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from actors.alerts import policy
from actors.verdicts import live, transition
from actors.verdicts.alert_events import alert_of, event_of, spans
from actors.verdicts.suppression import in_maintenance, suppression_of
from actors.verdicts.transition import ALERT_LIMIT, Transition
from actors.verdicts.verdict import verdict_of
from models.queries.incidents import IncidentChange, IncidentClosed, IncidentOpened
from models.queries.monitor_states import MonitorSnapshot
from models.queries.outbox import NewAlert
from models.queries.rounds import LocationResult, ResultAnnotation, Round
from models.rules.monitor_state import State


class Decision(NamedTuple):
    """Everything that deciding one round changes; an empty field changes nothing."""

    round: Round
    state: State
    annotation: ResultAnnotation | None = None
    incident: IncidentChange | None = None
    alert: NewAlert | None = None
    event: live.Event | None = None
    #: The locations that were asked and did not answer.
    silent_locations: Sequence[str] = ()
    #: No location answered: the round was lost, and the monitor must be rechecked soon.
    is_lost: bool = False
    #: The stored result is the miss of a heartbeat whose ping arrived in time: it must be deleted. The state is unchanged.
    is_obsolete_miss: bool = False


def decide(
    snapshot: MonitorSnapshot, scheduled_for: datetime, results: Sequence[LocationResult], now: datetime
) -> Decision | None:
    """Return the decision about the round of `scheduled_for`; None if nothing changes, or if answers may still arrive."""
    state, this_round = snapshot.state, (snapshot.monitor_id, scheduled_for)
    is_open = state.open_scheduled_for == scheduled_for
    if not is_open and any(result.error_code == "HEARTBEAT_MISSED" for result in results):
        # A ping that arrived in time closed this round while its miss was stored; or the round is decided already.
        return Decision(this_round, state, is_obsolete_miss=True)
    if not snapshot.enabled or (state.decided_for is not None and scheduled_for <= state.decided_for):
        return Decision(this_round, state._replace(open_scheduled_for=None)) if is_open else None
    silent = _silent_locations(snapshot, is_open, results)
    # A missed heartbeat expects no location, and its result is waited for as well.
    is_incomplete = silent or not results
    if is_incomplete and is_open and snapshot.open_deadline is not None and now < snapshot.open_deadline:
        return None
    if not results and not is_open:
        return None
    return _decide_now(snapshot, scheduled_for, results, silent, now)


def _silent_locations(snapshot: MonitorSnapshot, is_open: bool, results: Sequence[LocationResult]) -> list[str]:
    if is_open:
        expected = snapshot.open_expected or []
    else:
        expected = next((result.expected_locations for result in results if result.expected_locations), [])
    answered = {result.location for result in results}
    return [location for location in expected if location not in answered]


def _decide_now(
    snapshot: MonitorSnapshot,
    scheduled_for: datetime,
    results: Sequence[LocationResult],
    silent: Sequence[str],
    now: datetime,
) -> Decision:
    verdict = verdict_of([result.status for result in results], snapshot.locations)
    # The first result that agrees with the verdict explains it.
    explanation = next((result for result in results if result.status == verdict), None)
    suppression = suppression_of(spans(snapshot), snapshot.muted_until, scheduled_for, now)
    no_recipient = policy.missing_recipient(snapshot)
    change = transition.advance(
        snapshot.state,
        verdict,
        min((result.checked_at for result in results), default=now),
        snapshot.failure_threshold,
        snapshot.recovery_threshold,
        suppression and suppression.reason,
        no_recipient and no_recipient.reason,
    )
    checked_at = max((result.checked_at for result in results), default=now)
    state = _new_state(change, explanation, scheduled_for, checked_at, now)
    held_back = suppression or no_recipient
    return Decision(
        (snapshot.monitor_id, scheduled_for),
        state,
        annotation=_annotation(snapshot, change, scheduled_for),
        incident=_incident(snapshot, change, explanation, scheduled_for, now),
        alert=alert_of(snapshot, change, explanation, results, now, held_back and held_back.sentence)
        if change.alert
        else None,
        event=event_of(snapshot, state, verdict, explanation, now),
        silent_locations=silent,
        is_lost=not results,
    )


def _new_state(
    change: Transition,
    explanation: LocationResult | None,
    scheduled_for: datetime,
    checked_at: datetime,
    now: datetime,
) -> State:
    state = change.state
    error_code = explanation.error_code if explanation else "NO_ANSWER"
    return state._replace(
        last_check_at=checked_at,
        last_status_change_at=now if change.status_changed else state.last_status_change_at,
        last_response_time_ms=explanation.response_time_ms if explanation else None,
        last_error_code=error_code,
        last_error_message=explanation.error_message if explanation else "No location answered in time.",
        decided_for=scheduled_for,
        open_scheduled_for=None if state.open_scheduled_for == scheduled_for else state.open_scheduled_for,
    )


def _annotation(snapshot: MonitorSnapshot, change: Transition, scheduled_for: datetime) -> ResultAnnotation | None:
    state = change.state
    if not (change.status_changed or state.consecutive_failures or state.alerts_sent):
        return None
    alerts_sent = min(state.alerts_sent, ALERT_LIMIT)
    return ResultAnnotation(
        snapshot.monitor_id, scheduled_for, change.status_changed, state.consecutive_failures, alerts_sent
    )


def _incident(
    snapshot: MonitorSnapshot,
    change: Transition,
    explanation: LocationResult | None,
    scheduled_for: datetime,
    now: datetime,
) -> IncidentChange | None:
    sequence = change.state.failure_sequence
    if change.status_changed and change.state.status == "down":
        return IncidentOpened(
            snapshot.monitor_id,
            sequence,
            started_at=change.state.down_since or now,
            error_code=explanation.error_code if explanation else None,
            reason=(explanation.error_message if explanation else "") or "",
            in_maintenance=in_maintenance(spans(snapshot), scheduled_for),
            decided_for=scheduled_for,
        )
    if change.status_changed and change.outage_began is not None:
        return IncidentClosed(snapshot.monitor_id, sequence, now)
    return None
