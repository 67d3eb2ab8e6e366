"""Plans alerts that were not planned together with their verdict, and sends `deliver` for each delivery."""

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
    """Plan these alerts. Skip alerts that are planned already."""
    # The commit need not be durable: if a crash undoes it, the sweep finds the alerts unplanned.
    with transaction(durable=False, pipelined=True) as db:
        delivery_ids = plan(db, [UUID(alert_id) for alert_id in alert_ids], datetime.now(UTC))
    send_deliveries(delivery_ids)
