"""Batches of checks for the engine, from a test's point of view."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from actors.checks.config_cache import Prepared
from actors.checks.engine import Slot
from actors.probes.target import Target

Run = Callable[..., list[tuple[Any, ...]]]


def a_slot(
    address: str,
    at: datetime | None = None,
    retries: int = 0,
    fault: str = "",
    timeout: float = 5,
    host: str = "",
    project: UUID | None = None,
    **config: Any,
) -> Slot:
    monitor = uuid4()
    target = Target(monitor, "port_check", address, timeout, config)
    return Slot(monitor, at or datetime.now(UTC), Prepared(1, target, retries, fault, host, project))
