"""Batches of checks for the engine, from a test's point of view."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import check_types
from actors.checks.batch import PreparedCheck, ScheduledCheck
from actors.probes.target import Target

Run = Callable[..., list[tuple[Any, ...]]]


def a_check(
    address: str,
    at: datetime | None = None,
    retries: int = 0,
    fault: str = "",
    timeout: float = 5,
    host: str = "",
    project: UUID | None = None,
    **config: Any,
) -> ScheduledCheck:
    monitor = uuid4()
    target = Target(monitor, "port_check", address, timeout, check_types.with_defaults("port_check", config))
    return ScheduledCheck(monitor, at or datetime.now(UTC), PreparedCheck(1, target, retries, fault, host, project))
