"""Decides a heartbeat ping that may change its monitor's state: a failure, a recovery, the first ping."""

from datetime import UTC, datetime
from uuid import UUID

import dramatiq

from actors import queues
from actors.broker import broker
from actors.verdicts.aggregate import settle


@dramatiq.actor(
    broker=broker,
    queue_name=queues.HEARTBEAT_PINGS,
    max_retries=8,
    min_backoff=200,
    max_backoff=5_000,
    time_limit=60_000,
)
def heartbeat_ping(monitor_id: str, scheduled_for: str) -> None:
    """Decide the ping that arrived at `scheduled_for` (RFC 3339). A ping is a round of its own."""
    settle([(UUID(monitor_id), datetime.fromisoformat(scheduled_for))], datetime.now(UTC))
