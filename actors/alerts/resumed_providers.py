"""Sends providers that were enabled again the recovery alerts of outages that ended while they were disabled."""

from collections import Counter
from uuid import UUID

import settings
from actors.alerts.grouping import is_human_channel
from models.connections.database import Db
from models.queries import alert_groups, resumed_providers


def plan(db: Db) -> list[UUID]:
    """Create the missed deliveries and return their ids. A human channel with too many of them gets a summary."""
    missed = resumed_providers.undelivered_recoveries(db)
    if not missed:
        return []
    threshold = settings.get().storm_threshold
    count = Counter(provider_id for _, provider_id, _ in missed)
    single: list[tuple[UUID, UUID]] = []
    for alert_id, provider_id, kind in missed:
        if is_human_channel(kind) and threshold and count[provider_id] > threshold:
            alert_groups.collect(db, alert_id, [provider_id])
        else:
            single.append((alert_id, provider_id))
    return resumed_providers.add_deliveries(db, single) if single else []
