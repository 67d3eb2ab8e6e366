"""What a probe is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a job that a heartbeat watches; `id` is None if the job gave none."""

    started_at: datetime
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to look at, once.

    `kind` is the monitor's type (`http_request`, `website`, `ping_host`, `port_check`, `heartbeat`),
    `address` its target as the user wrote it, `timeout` the bound of one try in seconds,
    `config` the monitor's `config` as API.md names it, defaults filled in and secrets in the clear:
    it must never be logged. `overrun` is, for a missed heartbeat, the run that did not end in time.
    """

    monitor_id: UUID
    kind: str
    address: str
    timeout: float
    config: Mapping[str, Any]
    overrun: Run | None = None
