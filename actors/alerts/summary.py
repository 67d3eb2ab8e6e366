"""Tells a provider in one message what was collected for it during a storm, then sends `deliver`.

The summary is an alert of its own with a delivery like any other: it is durable, retried and in the history. Writing it
and marking what it tells is one transaction, so a crash loses nothing and tells nothing twice.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import dramatiq

from actors import queues
from actors.alerts import grouping
from actors.alerts.deliver import deliver
from actors.broker import broker
from actors.runtime.correlation import current
from models.connections.database import transaction
from models.queries import alert_groups
from models.queries.alert_groups import Change, NewSummary


@dramatiq.actor(
    broker=broker, queue_name=queues.ALERTS, max_retries=8, min_backoff=200, max_backoff=5_000, time_limit=60_000
)
def summary(provider_id: str) -> None:
    """Tell the provider what waits for it, where it is time; what comes afterwards is for the next summary."""
    now = datetime.now(UTC)
    with transaction() as db:
        changes = alert_groups.take(db, UUID(provider_id))
        collected = [one.collected_at for one in changes]
        if not changes or not grouping.is_ripe(min(collected), max(collected), now):
            return
        made = _summary(UUID(provider_id), changes)
        alert_groups.tell(db, made, changes)
    deliver.send(str(made.delivery_id))


def _summary(provider_id: UUID, changes: list[Change]) -> NewSummary:
    return NewSummary(
        alert_id=uuid4(),
        delivery_id=uuid4(),
        provider_id=provider_id,
        project_id=changes[0].project_id,
        name=grouping.headline(changes),
        reason=grouping.sentence(changes),
        context={"status": grouping.status(changes), "changes": [_told(one) for one in changes[-grouping.NAMED :]]},
        correlation_id=current(),
    )


def _told(one: Change) -> dict[str, Any]:
    return {
        "name": one.name,
        "monitorId": str(one.monitor_id) if one.monitor_id else None,
        "event": one.event,
        "status": one.status or "",
        "reason": one.reason,
        "at": one.at.isoformat(),
    }
