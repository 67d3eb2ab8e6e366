"""Decides rounds: verdict, state, alerts and whom they are told to; one transaction for the batch, then `deliver`.

Redelivery is harmless: a round that is not newer than the state's `decided_for` moves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import dramatiq
import redis
import structlog

from actors import queues
from actors.alerts import policy
from actors.alerts.deliver import send_deliveries
from actors.alerts.planning import plan
from actors.broker import broker
from actors.runtime import telemetry
from actors.verdicts import live, suppression, transition, unanswered_rounds, verdict
from actors.verdicts.alert_events import alert_of, event_of, spans
from models.connections.database import AWAY, Db, transaction
from models.queries import incidents, outbox, pings, rounds
from models.queries.outbox import NewAlert
from models.queries.rounds import Mark, Measured, Round, Standing
from models.rules.round_ids import from_micros, to_micros

log = structlog.get_logger(__name__)

#: A round that nobody answered was lost on its way: its monitor is looked at again so soon, were its next slot a week away.
AGAIN = timedelta(seconds=5)


@dramatiq.actor(
    broker=broker, queue_name=queues.AGGREGATION, max_retries=8, min_backoff=200, max_backoff=5_000, time_limit=60_000
)
def aggregate(due_rounds: list[tuple[str, int]]) -> None:
    """Decide these rounds: (monitor id, scheduled time in microseconds) each."""
    try:
        settle([(UUID(monitor_id), from_micros(micros)) for monitor_id, micros in due_rounds], datetime.now(UTC))
    except (*AWAY, redis.RedisError):
        raise
    except Exception:
        # A fault of ours with one round: alone it fails again, and the others are decided without it.
        if len(due_rounds) == 1:
            raise
        log.exception("a batch of rounds could not be decided; each is tried alone", rounds=len(due_rounds))
        broker.enqueue_many(aggregate.message([one]) for one in due_rounds)


def send_rounds(decidable: Sequence[Round]) -> None:
    """Hand rounds that can be decided to `aggregate`. Raises redis' errors."""
    if decidable:
        aggregate.send([(str(monitor_id), to_micros(scheduled)) for monitor_id, scheduled in decidable])


@dataclass(slots=True)
class Decided:
    """What one batch changes."""

    marks: list[Mark] = field(default_factory=list)
    alerts: list[NewAlert] = field(default_factory=list)
    events: list[live.Event] = field(default_factory=list)
    #: Monitors whose round nobody answered.
    unanswered: list[UUID] = field(default_factory=list)
    #: Misses of heartbeats that a ping forestalled.
    forestalled: list[Round] = field(default_factory=list)
    #: Locations that were asked and did not answer, once for each round.
    silent: list[str] = field(default_factory=list)


def settle(due_rounds: Sequence[Round], now: datetime) -> None:
    """Decide the rounds that can be decided, oldest first, and send on what is to be told."""
    decided = Decided()
    with transaction(pipelined=True) as db:
        standings = _standings(db, due_rounds, now)
        # Two pings of one heartbeat may be on their way in either order.
        waiting_pings = rounds.undecided_of(db, [one for one in standings.values() if one.type == "heartbeat"])
        everything = {*due_rounds, *waiting_pings}
        if any(scheduled < min(at for _, at in due_rounds) for _, scheduled in waiting_pings):
            # Older ones: the windows of their time are wanted, too.
            standings = _standings(db, list(everything), now)
        found = rounds.measured(db, list(everything))
        touched = []
        for one in sorted(everything, key=lambda pair: pair[1]):
            standing = standings.get(one[0])
            if standing is not None and decide(db, standing, one[1], found.get(one, []), now, decided):
                touched.append(standing)
        rounds.save(db, touched)
        rounds.try_again(db, decided.unanswered, now + AGAIN)
        rounds.mark(db, decided.marks)
        pings.forget_misses(db, decided.forestalled)
        outbox.add_alerts(db, decided.alerts)
        waiting = [one.id for one in decided.alerts if one.suppressed_because is None]
        planned = plan(db, waiting, now) if waiting else []
    if planned:
        _send(planned)
    live.publish(decided.events)
    unanswered_rounds.note(broker.client, decided.silent)


def _send(planned: Sequence[UUID]) -> None:
    try:
        send_deliveries(planned)
    except redis.RedisError:
        log.warning("deliveries wait for the sweep: the broker is away", deliveries=len(planned))


def _standings(db: Db, due_rounds: Sequence[Round], now: datetime) -> dict[UUID, Standing]:
    times = [now, *(scheduled for _, scheduled in due_rounds)]
    return rounds.lock_standings(db, {monitor_id for monitor_id, _ in due_rounds}, min(times), max(times))


def decide(
    db: Db, standing: Standing, scheduled_for: datetime, found: Sequence[Measured], now: datetime, decided: Decided
) -> bool:
    """Decide one round into `standing` and `decided`; False where there is nothing to change."""
    is_open = standing.open_scheduled_for == scheduled_for
    if not is_open and any(row.error_code == "HEARTBEAT_MISSED" for row in found):
        # A ping that came in time closed this round while it was stored; or the round is decided already.
        decided.forestalled.append((standing.monitor_id, scheduled_for))
        return False
    stale = not standing.enabled or (standing.decided_for is not None and scheduled_for <= standing.decided_for)
    if stale:
        if is_open:
            standing.open_scheduled_for = None
        return is_open
    missing = _missing(standing, is_open, found)
    # A missed heartbeat asks no location by name, and is waited for all the same.
    unanswered = missing or not found
    if unanswered and is_open and standing.open_deadline is not None and now < standing.open_deadline:
        return False
    if not found and not is_open:
        return False
    for location in missing:
        telemetry.ROUNDS_INCOMPLETE.labels(location).inc()
    decided.silent += missing
    _apply(db, standing, scheduled_for, found, now, decided)
    return True


def _missing(standing: Standing, is_open: bool, found: Sequence[Measured]) -> list[str]:
    """The locations that were asked and have not answered."""
    if is_open:
        expected = standing.open_expected or []
    else:
        expected = next((row.expected_locations for row in found if row.expected_locations), [])
    answered = {row.location for row in found}
    return [code for code in expected if code not in answered]


def _apply(
    db: Db, standing: Standing, scheduled_for: datetime, found: Sequence[Measured], now: datetime, decided: Decided
) -> None:
    previous = standing.status
    word = verdict.of_round([row.status for row in found], standing.locations)
    telling = _telling(found, word)
    measured_at = min((row.checked_at for row in found), default=now)
    hushed = suppression.of_round(spans(standing), standing.muted_until, scheduled_for, now)
    unheard = policy.missing_recipient(standing)
    step = transition.step(
        state_of(standing),
        word,
        measured_at,
        standing.failure_threshold,
        standing.recovery_threshold,
        hushed and hushed.reason,
        unheard and unheard.reason,
    )
    _write_back(standing, step, telling, scheduled_for, max((row.checked_at for row in found), default=now), now)
    if step.changed or standing.consecutive_failures or standing.alerts_sent:
        decided.marks.append(
            Mark(
                standing.monitor_id,
                scheduled_for,
                step.changed,
                standing.consecutive_failures,
                min(standing.alerts_sent, transition.ALERT_LIMIT),
            )
        )
    _incidents(db, standing, step, telling, scheduled_for, now)
    if not found:
        decided.unanswered.append(standing.monitor_id)
    if step.told is not None:
        decided.alerts.append(alert_of(standing, previous, step, telling, found, now, hushed or unheard))
    decided.events.append(event_of(standing, previous, word, telling, now))


def _telling(found: Sequence[Measured], word: str) -> Measured | None:
    """The row that explains the verdict: the first that agrees with it."""
    return next((row for row in found if row.status == word), None)


def state_of(standing: Standing) -> transition.State:
    """What a verdict moves of `standing`."""
    return transition.State(
        standing.status,
        standing.last_verdict,
        standing.consecutive_failures,
        standing.consecutive_successes,
        standing.failure_sequence,
        standing.alerts_sent,
        standing.down_since,
        standing.hushed,
        standing.owing,
    )


def restate(standing: Standing, state: transition.State) -> None:
    """Write the moved `state` into `standing`."""
    standing.status, standing.last_verdict = state.status, state.last_verdict
    standing.consecutive_failures, standing.consecutive_successes = (
        state.consecutive_failures,
        state.consecutive_successes,
    )
    standing.failure_sequence, standing.alerts_sent = state.failure_sequence, state.alerts_sent
    standing.hushed, standing.owing = state.hushed, state.owing
    standing.down_since = state.down_since


def _write_back(
    standing: Standing,
    step: transition.Step,
    telling: Measured | None,
    scheduled_for: datetime,
    checked_at: datetime,
    now: datetime,
) -> None:
    restate(standing, step.state)
    standing.last_check_at = checked_at
    standing.last_response_time_ms = telling.response_time_ms if telling else None
    standing.last_error_code = telling.error_code if telling else "NO_ANSWER"
    standing.last_error_message = telling.error_message if telling else "No location answered in time."
    standing.decided_for = scheduled_for
    if standing.open_scheduled_for == scheduled_for:
        standing.open_scheduled_for = None
    if step.changed:
        standing.last_status_change_at = now


def _incidents(
    db: Db,
    standing: Standing,
    step: transition.Step,
    telling: Measured | None,
    scheduled_for: datetime,
    now: datetime,
) -> None:
    if step.changed and standing.status == "down":
        began = standing.down_since or now
        code, reason = (telling.error_code, telling.error_message or "") if telling else (None, "")
        planned = suppression.in_maintenance(spans(standing), scheduled_for)
        outbox.begin_incident(db, uuid4(), standing.monitor_id, standing.failure_sequence, began, code, reason, planned)
        incidents.keep_evidence(db, standing.monitor_id, standing.failure_sequence, scheduled_for)
    elif step.changed and step.outage_began is not None:
        outbox.end_incident(db, standing.monitor_id, standing.failure_sequence, now)
