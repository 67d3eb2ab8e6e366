"""Tells providers that were enabled again of the outages that ended while they were disabled."""

from collections import Counter
from uuid import UUID

import settings
from actors.alerts import grouping
from models.connections.database import Db
from models.queries import alert_groups, resumed_providers


def plan(db: Db) -> list[UUID]:
    """The deliveries to be made. A provider that people read gets a summary where there is too much for single messages."""
    owed = resumed_providers.undelivered_recoveries(db)
    if not owed:
        return []
    threshold = settings.get().storm_threshold
    count = Counter(provider for _, provider, _ in owed)
    single: list[tuple[UUID, UUID]] = []
    for alert, provider, kind in owed:
        if grouping.is_for_people(kind) and threshold and count[provider] > threshold:
            alert_groups.collect(db, alert, [provider])
        else:
            single.append((alert, provider))
    return resumed_providers.add_deliveries(db, single) if single else []
