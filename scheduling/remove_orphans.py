"""Removes rows that are no longer needed: those of deleted monitors, old idempotency keys, ended sessions."""

import dramatiq

from actors import queues
from actors.broker import broker
from models.connections.database import transaction
from models.queries import orphans
from models.rules import sessions


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=3, min_backoff=5_000, time_limit=600_000)
def remove_orphans() -> None:
    """Remove them in batches, one short transaction each."""
    for table in orphans.TABLES:
        with transaction() as db:
            deleted = orphans.deleted_monitors(db, table)
        removed = orphans.BATCH if deleted else 0
        while removed == orphans.BATCH:
            with transaction() as db:
                removed = orphans.remove(db, table, deleted)
    with transaction() as db:
        orphans.remove_idempotency_keys(db)
        orphans.remove_sessions(db, sessions.IDLE, sessions.LONGEST)
