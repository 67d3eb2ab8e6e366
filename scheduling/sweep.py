"""The sweep: finds work that a crash, a lost message or a silent location left unfinished, and sends it again."""

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
from actors.runtime import process_registry
from actors.verdicts.aggregate import send_rounds
from models.connections.database import Db, transaction
from models.queries import alert_groups, deliveries, delivery_capacity, fallbacks, outbox, pending_work, rounds
from models.queries.rounds import Round
from scheduling import ping_replay
from scheduling.dispatch import online
from scheduling.maintenance_windows import maintenance_windows
from scheduling.resend_backoff import ResendBackoff

INTERVAL = timedelta(seconds=2)
#: A row whose message may still be in flight is left alone for this long.
IN_FLIGHT_GRACE = timedelta(seconds=5)
#: The sweep adds nothing to a queue that holds this many messages.
MAX_QUEUED = 500

#: Work that this process has resent and still finds unfinished.
undecided_rounds: ResendBackoff[Round] = ResendBackoff()
unplanned_alerts: ResendBackoff[UUID] = ResendBackoff()

#: Detects dead processes that hold deliveries.
dead_processes = process_registry.DeadProcesses(broker)


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=0, time_limit=60_000)
def sweep() -> None:
    """Find everything overdue and send it again. Every receiver skips work that is done by then."""
    now = datetime.now(UTC)
    live = online.codes()
    broker.requeue_dead([*queues.CENTRAL, *(queues.execution(code) for code in live)])
    unplanned: list[UUID] = []
    to_deliver: list[UUID] = []
    to_summarise: list[UUID] = []
    with transaction(pipelined=True) as db:
        undecided = rounds.overdue(db, now, settled=now - IN_FLIGHT_GRACE)
        undecided += rounds.undecided_pings(db, now - IN_FLIGHT_GRACE)
        pending = pending_work.find(db, now)
        if pending.alerts:
            outbox.close_orphaned_alerts(db)
            unplanned = outbox.lost_alerts(db, now - IN_FLIGHT_GRACE)
        if pending.deliveries:
            to_deliver = _deliverable(db, now)
        if pending.resumed:
            to_deliver += resumed_providers.plan(db)
        if pending.summaries:
            to_summarise = [
                group.provider_id
                for group in alert_groups.pending_summaries(db)
                if grouping.is_due(group.first, group.last, now)
            ]
    rounds_due, alerts_due = undecided_rounds.due(undecided, now), unplanned_alerts.due(unplanned, now)
    send_rounds(rounds_due)
    if alerts_due:
        alert.send([str(alert_id) for alert_id in alerts_due])
    # While no worker takes messages, every sweep finds the same work. It must not be queued a thousand times.
    if to_deliver and _has_room(queues.DELIVERIES):
        send_deliveries(to_deliver)
    if to_summarise and _has_room(queues.ALERTS):
        broker.enqueue_many(summary.message(str(provider_id)) for provider_id in to_summarise)
    if pending.windows:
        maintenance_windows.send()
    ping_replay.send_if_needed()


def _has_room(queue: str) -> bool:
    queued: int = broker.client.llen(f"{broker.namespace}:{queue}")
    return queued < MAX_QUEUED


def _deliverable(db: Db, now: datetime) -> list[UUID]:
    """Return the deliveries to attempt now, including those of dead processes and of fallback providers."""
    dead = dead_processes.among(deliveries.claimants(db))
    if dead:
        deliveries.release(db, dead)
    fallbacks.for_late(db, settings.get().fallback_after_minutes)
    return deliveries.due(db, now - IN_FLIGHT_GRACE) + delivery_capacity.overlooked(db, now - IN_FLIGHT_GRACE)
