"""Publishes decided rounds to open pages, only for projects with listeners. A failure here never affects the pipeline."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import redis
import structlog

from actors.broker import broker
from models.queries.rounds import LocationResult

log = structlog.get_logger(__name__)


class Event(NamedTuple):
    """A decided round, as `GET /api/monitor-status/sse` sends it."""

    project_id: UUID
    monitor_id: UUID
    status: str
    previous_status: str
    last_check_at: datetime | None
    next_run_at: datetime | None
    result: LocationResult | None


def channel(project_id: UUID) -> str:
    """Return the Redis channel of a project's status events."""
    return f"live:{project_id}"


def publish(events: Sequence[Event]) -> None:
    """Publish to the projects with listeners. If Redis is down, pages are only refreshed later."""
    if not events:
        return
    names = {event.project_id: channel(event.project_id) for event in events}
    try:
        listeners = {
            name.decode() if isinstance(name, bytes) else name: count
            for name, count in broker.client.pubsub_numsub(*names.values())
        }
        pipe = broker.client.pipeline(transaction=False)
        for event in events:
            name = names[event.project_id]
            if listeners.get(name):
                pipe.publish(name, json.dumps({"data": wire(event), "type": "status"}))
        pipe.execute()
    except redis.RedisError:
        log.warning("Redis is down: status events were not published", events=len(events))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def wire(event: Event) -> dict[str, Any]:
    """Return `event` as the stream sends it."""
    result = event.result
    return {
        "monitorId": str(event.monitor_id),
        "status": event.status,
        "previousStatus": event.previous_status,
        "lastCheckAt": _time(event.last_check_at),
        "nextRunAt": _time(event.next_run_at),
        "result": None
        if result is None
        else {
            "location": result.location,
            "status": result.status,
            "scheduledFor": _time(result.scheduled_for),
            "checkedAt": _time(result.checked_at),
            "responseTimeMs": result.response_time_ms,
            "errorCode": result.error_code,
            "errorMessage": result.error_message,
        },
    }
