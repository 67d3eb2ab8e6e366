"""Decides rounds from their stored results, and writes the alerts that follow; `deliver` sends them.

Redelivery is harmless: a round that is not newer than the state's `decided_for` changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import dramatiq
import redis
import structlog

from actors import queues
from actors.alerts.deliver import send_deliveries
from actors.alerts.planning import plan
from actors.broker import broker
from actors.runtime import telemetry
from actors.verdicts import live, unanswered_rounds
from actors.verdicts.decision import Decision, decide
from models.connections.database import UNAVAILABLE, Db, transaction
from models.queries import incidents, monitor_states, outbox, pings, rounds
from models.queries.monitor_states import MonitorSnapshot
from models.queries.rounds import LocationResult, Round
from models.rules.round_ids import from_micros, to_micros

log = structlog.get_logger(__name__)

#: A round that no location answered was lost: its monitor is rechecked after this delay, even if it is due much later.
RECHECK_DELAY = timedelta(seconds=5)


@dramatiq.actor(
    broker=broker, queue_name=queues.AGGREGATION, max_retries=8, min_backoff=200, max_backoff=5_000, time_limit=60_000
)
def aggregate(due_rounds: list[tuple[str, int]]) -> None:
    """Decide these rounds: (monitor id, scheduled time in microseconds) each."""
    try:
        settle([(UUID(monitor_id), from_micros(micros)) for monitor_id, micros in due_rounds], datetime.now(UTC))
    except (*UNAVAILABLE, redis.RedisError):
        raise
    except Exception:
        # One round triggers a bug: alone it fails again, and the others are decided without it.
        if len(due_rounds) == 1:
            raise
        log.exception("a batch of rounds could not be decided; each is retried alone", rounds=len(due_rounds))
        broker.enqueue_many(aggregate.message([due_round]) for due_round in due_rounds)


def send_rounds(decidable: Sequence[Round]) -> None:
    """Send rounds that can be decided to `aggregate`. Raises redis' errors."""
    if decidable:
        aggregate.send([(str(monitor_id), to_micros(scheduled_for)) for monitor_id, scheduled_for in decidable])


def settle(due_rounds: Sequence[Round], now: datetime) -> None:
    """Decide these rounds.

    1. Load: lock the states of their monitors and read the results of the rounds.
    2. Decide: `decision.decide` turns each snapshot and its results into a `Decision`, oldest round first.
    3. Save: write all decisions, plan the deliveries of their alerts, and commit.
    4. Send: the deliveries, the events for open pages, and the count of unanswered rounds.
    """
    with transaction(pipelined=True) as db:
        snapshots, results = _load(db, due_rounds, now)
        decisions = _decide(snapshots, results, now)
        deliveries = _save(db, decisions, now)
    _send(deliveries, decisions)


def _load(
    db: Db, due_rounds: Sequence[Round], now: datetime
) -> tuple[dict[UUID, MonitorSnapshot], dict[Round, list[LocationResult]]]:
    """Return the snapshots, and the results of every round to decide, oldest round first."""
    snapshots = _lock(db, due_rounds, now)
    # The messages of two pings of one heartbeat may arrive in either order: decide all of its stored pings together.
    heartbeats = [snapshot for snapshot in snapshots.values() if snapshot.type == "heartbeat"]
    stored_pings = rounds.undecided_of(db, heartbeats)
    every_round = {*due_rounds, *stored_pings}
    if any(scheduled_for < min(at for _, at in due_rounds) for _, scheduled_for in stored_pings):
        # Older pings need the maintenance windows of their time.
        snapshots = _lock(db, list(every_round), now)
    stored = rounds.results(db, list(every_round))
    oldest_first = sorted(every_round, key=lambda due_round: due_round[1])
    return snapshots, {due_round: stored.get(due_round, []) for due_round in oldest_first}


def _lock(db: Db, due_rounds: Sequence[Round], now: datetime) -> dict[UUID, MonitorSnapshot]:
    times = [now, *(scheduled_for for _, scheduled_for in due_rounds)]
    monitor_ids = {monitor_id for monitor_id, _ in due_rounds}
    return monitor_states.lock_snapshots(db, monitor_ids, min(times), max(times))


def _decide(
    snapshots: dict[UUID, MonitorSnapshot], results: Mapping[Round, Sequence[LocationResult]], now: datetime
) -> list[Decision]:
    """Decide the rounds in order; a later round of the same monitor starts from the state of the earlier decision."""
    decisions = []
    for (monitor_id, scheduled_for), location_results in results.items():
        snapshot = snapshots.get(monitor_id)
        if snapshot is None:
            continue  # The monitor was deleted.
        decision = decide(snapshot, scheduled_for, location_results, now)
        if decision is not None:
            decisions.append(decision)
            snapshots[monitor_id] = snapshot._replace(state=decision.state)
    return decisions


def _save(db: Db, decisions: Sequence[Decision], now: datetime) -> list[UUID]:
    """Write the decisions. Return the deliveries that are planned for their alerts."""
    alerts = [decision.alert for decision in decisions if decision.alert]
    monitor_states.save(
        db, {decision.round[0]: decision.state for decision in decisions if not decision.is_obsolete_miss}
    )
    monitor_states.recheck(db, [decision.round[0] for decision in decisions if decision.is_lost], now + RECHECK_DELAY)
    rounds.annotate(db, [decision.annotation for decision in decisions if decision.annotation])
    incidents.save(db, [decision.incident for decision in decisions if decision.incident])
    pings.delete_misses(db, [decision.round for decision in decisions if decision.is_obsolete_miss])
    outbox.add_alerts(db, alerts)
    to_plan = [alert.id for alert in alerts if alert.suppressed_because is None]
    return plan(db, to_plan, now) if to_plan else []


def _send(deliveries: Sequence[UUID], decisions: Sequence[Decision]) -> None:
    if deliveries:
        try:
            send_deliveries(deliveries)
        except redis.RedisError:
            log.warning("Redis is down: the sweep will send the deliveries", deliveries=len(deliveries))
    live.publish([decision.event for decision in decisions if decision.event])
    silent = [location for decision in decisions for location in decision.silent_locations]
    for location in silent:
        telemetry.ROUNDS_INCOMPLETE.labels(location).inc()
    unanswered_rounds.record(broker.client, silent)
