"""Sends claimed rounds to their locations: the only file that knows location -> queue."""

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

#: Checks a message: enough that the message costs nothing, few enough that several workers share a burst.
BATCH = 100
#: How long an answer of Redis about who lives is believed.
_FRESH_SECONDS = 1.0


class Order(NamedTuple):
    """One round to run. `locations` are those with a live worker; empty for a missed heartbeat, which any of them judges."""

    monitor_id: UUID
    version: int
    kind: str
    scheduled_for: datetime
    locations: list[str]


class _Online:
    """Which locations have live workers, asked at most once a second."""

    def __init__(self) -> None:
        self._at = float("-inf")
        self._codes: list[str] = []

    def codes(self) -> list[str]:
        """Location codes with a live check worker, sorted. Raises redis' errors."""
        if time.monotonic() - self._at > _FRESH_SECONDS:
            self._codes = sorted(process_registry.workers_online(broker.client))
            self._at = time.monotonic()
        return self._codes


online = _Online()


def messages(orders: Iterable[Order], anywhere: str) -> list[Message[Any]]:
    """Execution messages, at most `BATCH` checks of one kind each, in the order of their times.

    `anywhere` is the location that judges missed heartbeats. Ids and times only: a worker reads secrets itself.
    """
    grouped: dict[tuple[str, str, tuple[str, ...]], list[tuple[str, int, int]]] = defaultdict(list)
    for order in sorted(orders, key=lambda one: one.scheduled_for):
        item = (str(order.monitor_id), to_micros(order.scheduled_for), order.version)
        for code in order.locations or [anywhere]:
            grouped[code, order.kind, tuple(order.locations)].append(item)
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


def dispatch(orders: Iterable[Order], anywhere: str) -> None:
    """Enqueue all orders in one pipeline. Raises redis' errors; sending again what was sent is harmless."""
    broker.enqueue_many(messages(orders, anywhere))
