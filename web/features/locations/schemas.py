"""Locations in the API: requests and responses."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from settings import LOCATION_CODE
from web.api.schema import In, Name, Out


class LocationIn(In):
    """A new location: a queue of its own, served by workers with `WORKER_LOCATION=<code>` and by those without one."""

    code: str = Field(pattern=f"^(?:{LOCATION_CODE.pattern})$", description="Lower-case letters, digits and hyphens.")
    name: Name


class LocationChange(In):
    """What is absent stays. `default: true` puts the location before all others."""

    name: Name | None = None
    enabled: bool | None = None
    default: Literal[True] | None = None


class LocationOut(Out):
    """A place checks run from; `workersOnline` and `roundsUnanswered` are null while the broker cannot be asked.

    `roundsUnanswered` are those of the last hour that were decided without its answer.
    """

    code: str
    name: str
    queue: str
    enabled: bool
    default: bool
    workers_online: int | None
    last_seen_at: datetime | None
    rounds_unanswered: int | None
