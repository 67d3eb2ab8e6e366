"""The sweep: finds what a crash, a lost message or a silent location left behind, and sends it on its way again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import dramatiq

import settings
from actors import queues
from actors.alerts import grouping, resumed_providers
from actors.alerts.alert import alert
from actors.alerts.deliver import send_deliveries
from actors.alerts.summary import summary
from actors.broker import broker
from actors.runtime import process_registry, trouble_counts
from actors.verdicts import ping_intake, unanswered_rounds
from actors.verdicts.aggregate import send_rounds
from models.connections.database import Db, transaction
from models.queries import (
    alert_groups,
    deliveries,
    delivery_capacity,
    fallbacks,
    locations,
    outbox,
    pending_work,
    rounds,
    warnings,
)
from models.queries.rounds import Round
from scheduling import ping_replay
from scheduling.dispatch import online
from scheduling.maintenance_windows import watch_windows
from scheduling.resend_backoff import Insistence
from scheduling.tick import POSTPONED

INTERVAL = timedelta(seconds=2)
#: A message in flight gets so long before its row counts as forgotten.
PATIENCE = timedelta(seconds=5)
#: Messages in a queue beyond which the sweep adds none.
ENOUGH_WAITING = 500
_undecided: Insistence[Round] = Insistence()
_unplanned: Insistence[UUID] = Insistence()

#: Which senders of messages look dead.
departed = process_registry.Departed(broker)
#: So long a round that a location left unanswered is held against it.
UNANSWERED_MINUTES = 10


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=0, time_limit=60_000)
def sweep() -> None:
    """Find everything overdue and send it again; every receiver passes over what was done meanwhile."""
    now = datetime.now(UTC)
    live = online.codes()
    broker.requeue_dead([*queues.CENTRAL, *(queues.execution(code) for code in live)])
    forgotten: list[UUID] = []
    to_deliver: list[UUID] = []
    to_summarise: list[UUID] = []
    with transaction(pipelined=True) as db:
        left_behind = rounds.left_behind(db, now, settled=now - PATIENCE)
        left_behind += rounds.undecided_pings(db, now - PATIENCE)
        there = pending_work.find(db, now)
        if there.alerts:
            outbox.close_ownerless(db)
            forgotten = outbox.forgotten_alerts(db, now - PATIENCE)
        if there.deliveries:
            to_deliver = _deliverable(db, now)
        if there.resumed:
            to_deliver += resumed_providers.plan(db)
        if there.summaries:
            to_summarise = [
                one.provider_id
                for one in alert_groups.pending_summaries(db)
                if grouping.is_due(one.first, one.last, now)
            ]
    rounds_due, alerts_due = _undecided.due(left_behind, now), _unplanned.due(forgotten, now)
    send_rounds(rounds_due)
    if alerts_due:
        alert.send([str(alert_id) for alert_id in alerts_due])
    # Nothing is added to what waits for a worker that is away: it would find the same work a thousand times.
    if to_deliver and _has_room(queues.DELIVERIES):
        send_deliveries(to_deliver)
    if to_summarise and _has_room(queues.ALERTS):
        broker.enqueue_many(summary.message(str(provider_id)) for provider_id in to_summarise)
    if there.windows:
        watch_windows.send()
    ping_replay.send_if_waiting()


def _has_room(queue: str) -> bool:
    waiting: int = broker.client.llen(f"{broker.namespace}:{queue}")
    return waiting < ENOUGH_WAITING


def _deliverable(db: Db, now: datetime) -> list[UUID]:
    """The deliveries to try now, those of dead processes and of fallbacks among them."""
    gone = departed.among(deliveries.claimants(db))
    if gone:
        deliveries.release(db, gone)
    fallbacks.for_late(db, settings.get().fallback_after_minutes)
    return deliveries.due(db, now - PATIENCE) + delivery_capacity.overlooked(db, now - PATIENCE)


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=0, time_limit=60_000)
def watch_locations() -> None:
    """Note which locations live, tell every process which there are, and warn the operator of those that are silent."""
    live = online.codes()
    unanswered = unanswered_rounds.lately(broker.client, UNANSWERED_MINUTES)
    lacks = {
        f"{one.location}:{one.trouble.value}": trouble_counts.sentence(one, checks)
        for one, checks in trouble_counts.lately(broker.client).items()
    }
    with transaction() as db:
        enabled = locations.enabled_codes(db)
        locations.seen(db, live)
        silent = locations.silent_but_wanted(db, live)
        for code in silent:
            warnings.raise_warning(db, "location_silent", code, f"Location {code} has no live check worker.")
        warnings.resolve_others(db, "location_silent", silent)
        for code, rounds in sorted(unanswered.items()):
            warnings.raise_warning(db, "location_unanswered", code, _unanswered(code, rounds))
        warnings.resolve_others(db, "location_unanswered", unanswered)
        for subject, sentence in sorted(lacks.items()):
            warnings.raise_warning(db, "worker_trouble", subject, sentence)
        warnings.resolve_others(db, "worker_trouble", lacks)
        warnings.resolve_unseen(db, warnings.UNREADABLE_SCHEDULE, datetime.now(UTC) - 2 * POSTPONED)
        warnings.resolve_unseen(db, ping_intake.WARNING, datetime.now(UTC) - ping_intake.TOLD_FOR)
        if live:
            warnings.resolve_others(db, "no_worker", [])
        _warn_of_stubborn(db)
    process_registry.announce_locations(broker.client, enabled)


def _unanswered(code: str, rounds: int) -> str:
    times = "1 round" if rounds == 1 else f"{rounds} rounds"
    return f"Location {code} left {times} unanswered in the last {UNANSWERED_MINUTES} minutes; they were decided without it."


def _warn_of_stubborn(db: Db) -> None:
    """Tell the operator of what fails again and again: one warning for each kind, however many there are."""
    rounds_stuck, alerts_stuck = _undecided.stubborn(), _unplanned.stubborn()
    found = {}
    if rounds_stuck:
        found["rounds"] = f"{len(rounds_stuck)} rounds cannot be decided, one of monitor {rounds_stuck[0][0]}."
    if alerts_stuck:
        found["alerts"] = f"{len(alerts_stuck)} alerts cannot be sent on, one of them {alerts_stuck[0]}."
    for subject, sentence in found.items():
        hint = " They are tried again every minute; the logs of the workers say why."
        warnings.raise_warning(db, "stuck", subject, sentence + hint)
    warnings.resolve_others(db, "stuck", found)
