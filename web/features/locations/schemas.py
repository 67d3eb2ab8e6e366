"""Locations in the API: requests and responses."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from settings import LOCATION_CODE
from web.api.schema import In, Name, Out


class LocationIn(In):
    """A new location: a queue that workers with `WORKER_LOCATION=<code>` and those without it consume."""

    code: str = Field(pattern=f"^(?:{LOCATION_CODE.pattern})$", description="Lower-case letters, digits and hyphens.")
    name: Name


class LocationChange(In):
    """Absent fields stay. `default: true` makes the location the default."""

    name: Name | None = None
    enabled: bool | None = None
    default: Literal[True] | None = None


class LocationOut(Out):
    """A location of checks. `workersOnline` and `roundsUnanswered` are null if the broker does not respond.

    `roundsUnanswered` counts the rounds of the last hour that were decided without its result.
    """

    code: str
    name: str
    queue: str
    enabled: bool
    default: bool
    workers_online: int | None
    last_seen_at: datetime | None
    rounds_unanswered: int | None
