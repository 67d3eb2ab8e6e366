"""Creates the daily partitions of `monitor_results` ahead of time."""

from datetime import UTC, datetime

import dramatiq
import structlog

from actors import queues
from actors.broker import broker
from models.connections.database import transaction
from models.queries import partitions

log = structlog.get_logger(__name__)


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=3, min_backoff=5_000, time_limit=600_000)
def create_partitions() -> None:
    """Create the partitions of the coming week."""
    with transaction() as db:
        names = partitions.create_ahead(db, datetime.now(UTC).date())
    if names:
        log.info("partitions created", names=names)
