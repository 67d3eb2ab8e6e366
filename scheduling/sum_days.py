"""Sums hourly rollups into daily ones, so that a chart of 90 days reads 90 rows."""

from datetime import UTC, datetime, timedelta

import dramatiq

from actors import queues
from actors.broker import broker
from models.connections.database import transaction
from models.queries import rollups

#: Monitors per transaction, so that each transaction is short however many monitors there are.
BATCH = 500


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=3, min_backoff=5_000, time_limit=600_000)
def sum_days() -> None:
    """Sum the hours of yesterday and today."""
    today = datetime.now(UTC).date()
    with transaction() as db:
        monitor_ids = rollups.monitor_ids(db)
    for start in range(0, len(monitor_ids), BATCH):
        for day in (today - timedelta(days=1), today):
            with transaction() as db:
                rollups.sum_day(db, day, monitor_ids[start : start + BATCH])
