"""Sends a provider one message for all alerts that were collected for it, then sends `deliver`.

The summary is an alert of its own with one delivery: it is durable, retried, and listed in the alert history. Creating
it and marking the collected alerts as sent is one transaction, so a crash neither loses nor repeats an alert.
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
from models.queries.alert_groups import GroupedAlert, NewSummary


@dramatiq.actor(
    broker=broker, queue_name=queues.ALERTS, max_retries=8, min_backoff=200, max_backoff=5_000, time_limit=60_000
)
def summary(provider_id: str) -> None:
    """Send the provider's collected alerts if a summary is due. Alerts collected later go into the next summary."""
    now = datetime.now(UTC)
    with transaction() as db:
        changes = alert_groups.lock_pending(db, UUID(provider_id))
        collected = [change.collected_at for change in changes]
        if not changes or not grouping.is_due(min(collected), max(collected), now):
            return
        new_summary = _summary(UUID(provider_id), changes)
        alert_groups.save_summary(db, new_summary, changes)
    deliver.send(str(new_summary.delivery_id))


def _summary(provider_id: UUID, changes: list[GroupedAlert]) -> NewSummary:
    return NewSummary(
        alert_id=uuid4(),
        delivery_id=uuid4(),
        provider_id=provider_id,
        project_id=changes[0].project_id,
        name=grouping.headline(changes),
        reason=grouping.sentence(changes),
        context={
            "status": grouping.status(changes),
            "changes": [_context(change) for change in changes[-grouping.MAX_LISTED :]],
        },
        correlation_id=current(),
    )


def _context(change: GroupedAlert) -> dict[str, Any]:
    """Return the alert as the notice of the summary lists it."""
    return {
        "name": change.name,
        "monitorId": str(change.monitor_id) if change.monitor_id else None,
        "event": change.event,
        "status": change.status or "",
        "reason": change.reason,
        "at": change.at.isoformat(),
    }
