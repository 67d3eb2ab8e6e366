"""Plans alerts: whom each is told to, one by one, in a storm's summary, or not at all."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

import structlog

import settings
from actors.alerts import grouping, policy
from models.connections.database import Db
from models.queries import alert_groups, outbox
from models.queries.outbox import UnplannedAlert

log = structlog.get_logger(__name__)


def plan(db: Db, alert_ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Plan these alerts; those that were planned before are passed over. The deliveries to be made.

    The delivery ids follow from alert and provider: a plan that a crash takes back is made again as it was. Raises
    psycopg's errors.
    """
    unplanned = outbox.unplanned(db, alert_ids)
    lately = _changed_lately(db, unplanned)
    waiting: list[UUID] = []
    for one in unplanned:
        try:
            because = policy.held_back(one, now)
            in_storm = because is None and _belongs_to_a_storm(one, lately)
        except Exception:
            # A fault of ours with one alert stops no other; the sweep has it tried again.
            log.exception("an alert could not be judged", alert_id=str(one.id))
            continue
        if because:
            outbox.suppress(db, one.id, because)
        else:
            waiting += _tell(db, one, in_storm=in_storm)
    return waiting


def _changed_lately(db: Db, unplanned: Sequence[UnplannedAlert]) -> dict[UUID, set[UUID]]:
    """Alert -> the monitors of its project with news of late; nothing where storms make no difference: only machines listen."""
    counted = [one.id for one in unplanned if not one.manual]
    heard = any(grouping.is_for_people(kind) for one in unplanned for _, kind, _ in one.providers)
    if not counted or not heard or not settings.get().storm_threshold:
        return {}
    return alert_groups.lately(db, counted, grouping.WINDOW)


def _belongs_to_a_storm(one: UnplannedAlert, lately: dict[UUID, set[UUID]]) -> bool:
    """Judge the alert by those before it, and count its monitor among them."""
    monitors = lately.get(one.id)
    if monitors is None or one.monitor_id is None:
        return False
    found = grouping.rages(len(monitors - {one.monitor_id}), settings.get().storm_threshold)
    monitors.add(one.monitor_id)
    return found


def _tell(db: Db, one: UnplannedAlert, *, in_storm: bool) -> list[UUID]:
    """Plan a delivery to each provider, in a storm only to machines; people's wait for their summary. The deliveries."""
    collected = [provider for provider, kind, _ in one.providers if in_storm and grouping.is_for_people(kind)]
    planned = [
        (uuid5(one.id, str(provider[0])), *provider) for provider in one.providers if provider[0] not in collected
    ]
    if collected:
        alert_groups.collect(db, one.id, collected)
    if planned:
        outbox.plan(db, one.id, planned, grouping.BECAUSE if collected else None)
    else:
        outbox.suppress(db, one.id, grouping.BECAUSE)
    return [delivery_id for delivery_id, *_ in planned]
