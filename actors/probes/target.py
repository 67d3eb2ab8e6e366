"""The input of a probe."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a job that a heartbeat monitors. `id` is None if the job sent none."""

    started_at: datetime
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What one check probes.

    `kind` is the check type. `address` is the monitor's target as the user entered it. `timeout` is the limit of one attempt
    in seconds. `config` is the monitor's `config` as in API.md, with all defaults (`check_types.with_defaults`) and decrypted
    secrets: never log it. `overrun` is the run that did not end in time, for a missed heartbeat.
    """

    monitor_id: UUID
    kind: str
    address: str
    timeout: float
    config: Mapping[str, Any]
    overrun: Run | None = None
