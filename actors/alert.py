"""Decides whom an alert is told to, and sends `deliver` for each channel."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid5

import dramatiq

import settings
from actors import policy, queues, storm
from actors.broker import broker
from actors.deliver import deliver
from models.database import Db, transaction
from models.queries import outbox, storms
from models.queries.outbox import Unplanned


@dramatiq.actor(
    broker=broker, queue_name=queues.ALERTS, max_retries=8, min_backoff=200, max_backoff=5_000, time_limit=60_000
)
def alert(alert_ids: list[str]) -> None:
    """Plan these alerts; those that were planned before are passed over."""
    now = datetime.now(UTC)
    waiting: list[UUID] = []
    # A plan that a crash takes back is made again from the alert, in the same order, with the same delivery ids.
    with transaction(durable=False, pipelined=True) as db:
        unplanned = outbox.unplanned(db, [UUID(text) for text in alert_ids])
        lately = _changed_lately(db, unplanned)
        for one in unplanned:
            because = policy.held_back(one, now)
            if because:
                outbox.suppress(db, one.id, because)
            else:
                waiting += _tell(db, one, in_storm=_belongs_to_a_storm(one, lately))
    broker.enqueue_many(deliver.message(str(delivery_id)) for delivery_id in waiting)


def _changed_lately(db: Db, unplanned: Sequence[Unplanned]) -> dict[UUID, set[UUID]]:
    """Alert -> the monitors of its project with news of late; nothing where storms make no difference: only machines listen."""
    counted = [one.id for one in unplanned if not one.manual]
    heard = any(storm.is_for_people(kind) for one in unplanned for _, kind, _ in one.providers)
    if not counted or not heard or not settings.get().storm_threshold:
        return {}
    return storms.lately(db, counted, storm.WINDOW)


def _belongs_to_a_storm(one: Unplanned, lately: dict[UUID, set[UUID]]) -> bool:
    """Judge the alert by those before it, and count its monitor among them."""
    monitors = lately.get(one.id)
    if monitors is None or one.monitor_id is None:
        return False
    found = storm.rages(len(monitors - {one.monitor_id}), settings.get().storm_threshold)
    monitors.add(one.monitor_id)
    return found


def _tell(db: Db, one: Unplanned, *, in_storm: bool) -> list[UUID]:
    """Plan a delivery to each provider, in a storm only to machines; people's wait for their summary. The deliveries."""
    collected = [provider for provider, kind, _ in one.providers if in_storm and storm.is_for_people(kind)]
    planned = [
        (uuid5(one.id, str(provider[0])), *provider) for provider in one.providers if provider[0] not in collected
    ]
    if collected:
        storms.collect(db, one.id, collected)
    if planned:
        outbox.plan(db, one.id, planned, storm.BECAUSE if collected else None)
    else:
        outbox.suppress(db, one.id, storm.BECAUSE)
    return [delivery_id for delivery_id, *_ in planned]
