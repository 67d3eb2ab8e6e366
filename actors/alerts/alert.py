"""Plans alerts that were not planned with the verdict they come from, and sends `deliver` for each channel."""

from datetime import UTC, datetime
from uuid import UUID

import dramatiq

from actors import queues
from actors.alerts.deliver import send_deliveries
from actors.alerts.planning import plan
from actors.broker import broker
from models.connections.database import transaction


@dramatiq.actor(
    broker=broker, queue_name=queues.ALERTS, max_retries=8, min_backoff=200, max_backoff=5_000, time_limit=60_000
)
def alert(alert_ids: list[str]) -> None:
    """Plan these alerts; those that were planned before are passed over."""
    # What a crash takes back is planned again: its alert is still there.
    with transaction(durable=False, pipelined=True) as db:
        waiting = plan(db, [UUID(text) for text in alert_ids], datetime.now(UTC))
    send_deliveries(waiting)
