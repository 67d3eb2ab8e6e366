"""Sends claimed rounds to their locations. Only this file maps locations to queues."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from dramatiq import Message

from actors import queues
from actors.broker import broker
from actors.runtime import process_registry
from models.rules.round_ids import to_micros

#: Checks per message: enough to make the cost of a message negligible, few enough that several workers share a burst.
BATCH = 100
#: How long a list of live locations is reused before Redis is asked again.
_MAX_AGE_SECONDS = 1.0


class RoundDispatch(NamedTuple):
    """One round to run. `locations` are those with a live worker; empty for a missed heartbeat, which any worker decides."""

    monitor_id: UUID
    version: int
    kind: str
    scheduled_for: datetime
    locations: list[str]


class _OnlineLocations:
    """The locations with live workers, read at most once a second."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._codes: list[str] = []

    def codes(self) -> list[str]:
        """Return the codes of the locations with a live check worker, sorted. Raise redis errors."""
        if time.monotonic() - self._read_at > _MAX_AGE_SECONDS:
            self._codes = sorted(process_registry.workers_online(broker.client))
            self._read_at = time.monotonic()
        return self._codes


online = _OnlineLocations()


def messages(dispatches: Iterable[RoundDispatch], anywhere: str) -> list[Message[Any]]:
    """Return the messages to the check workers: at most `BATCH` checks of one kind each, ordered by scheduled time.

    `anywhere` is the location that decides missed heartbeats. Messages hold ids and times only; workers read the
    configuration with its secrets themselves.
    """
    grouped: dict[tuple[str, str, tuple[str, ...]], list[tuple[str, int, int]]] = defaultdict(list)
    for dispatched in sorted(dispatches, key=lambda dispatched: dispatched.scheduled_for):
        item = (str(dispatched.monitor_id), to_micros(dispatched.scheduled_for), dispatched.version)
        for code in dispatched.locations or [anywhere]:
            grouped[code, dispatched.kind, tuple(dispatched.locations)].append(item)
    return [
        _message(code, kind, locations, items[start : start + BATCH])
        for (code, kind, locations), items in grouped.items()
        for start in range(0, len(items), BATCH)
    ]


def _message(code: str, kind: str, locations: Sequence[str], items: list[tuple[str, int, int]]) -> Message[Any]:
    return Message(
        queue_name=queues.execution(code),
        actor_name="check",
        args=(),
        kwargs={
            "kind": kind,
            "location": code if locations else None,
            "expected": list(locations) if len(locations) != 1 else None,
            "items": items,
        },
        options={"correlation_id": uuid4().hex},
    )


def dispatch(dispatches: Iterable[RoundDispatch], anywhere: str) -> None:
    """Enqueue all messages in one Redis pipeline. Raise redis errors. Sending a round twice is harmless."""
    broker.enqueue_many(messages(dispatches, anywhere))
