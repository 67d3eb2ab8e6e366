"""Periodic upkeep: partitions made ahead, days summed, remains removed."""

from datetime import UTC, datetime, timedelta

import dramatiq
import structlog

from actors import queues
from actors.broker import broker
from models.connections.database import transaction
from models.queries import orphans, partitions, rollups
from models.rules import sessions

log = structlog.get_logger(__name__)

#: Summed in one short transaction each, however many monitors there are.
MONITORS_AT_ONCE = 500


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=3, min_backoff=5_000, time_limit=600_000)
def make_partitions() -> None:
    """Make the coming week's partitions."""
    with transaction() as db:
        made = partitions.make_ahead(db, datetime.now(UTC).date())
    if made:
        log.info("partitions made", names=made)


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=3, min_backoff=5_000, time_limit=600_000)
def sum_days() -> None:
    """Sum today's and yesterday's hours into days; charts of a quarter then read ninety rows."""
    today = datetime.now(UTC).date()
    with transaction() as db:
        monitors = rollups.monitors(db)
    for start in range(0, len(monitors), MONITORS_AT_ONCE):
        for day in (today - timedelta(days=1), today):
            with transaction() as db:
                rollups.sum_day(db, day, monitors[start : start + MONITORS_AT_ONCE])


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=3, min_backoff=5_000, time_limit=600_000)
def remove_orphans() -> None:
    """Remove what deleted monitors left behind, answers to repeated requests that nobody repeats, and ended sessions."""
    for table in orphans.TABLES:
        with transaction() as db:
            gone = orphans.gone(db, table)
        removed = orphans.BATCH if gone else 0
        while removed == orphans.BATCH:
            with transaction() as db:
                removed = orphans.remove(db, table, gone)
    with transaction() as db:
        orphans.forget_repeats(db)
        orphans.forget_sessions(db, sessions.IDLE, sessions.LONGEST)
