"""Locations, schedules and tags on the wire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from settings import LOCATION_CODE
from web.api.schema import In, Name, Out
from web.features.monitors.schemas import Type, clean_tag


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


class ScheduledMonitor(Out):
    id: UUID
    name: str
    type: Type


class ScheduleOut(Out):
    """One active schedule; `lagSeconds` is how much too late its next run is by now."""

    id: str
    monitor: ScheduledMonitor
    frequency_minutes: int | float | None
    cron_expression: str | None
    timezone: str
    next_run_at: datetime
    last_run_at: datetime | None
    lag_seconds: float
    skipped_slots: int


class DeadMessageOut(Out):
    """A message that its actor gave up on; `ageSeconds` counts from then. What it held is not shown."""

    id: str
    queue: str
    actor: str
    enqueued_at: datetime | None
    died_at: datetime
    age_seconds: float


TagName = Annotated[str, Field(min_length=1, max_length=50), AfterValidator(clean_tag)]


class TagIn(In):
    """A tag and the monitors that shall carry it: tags live on monitors."""

    name: TagName
    monitor_ids: list[UUID] = Field(min_length=1, max_length=1000)


class TagRename(In):
    name: TagName


class TagOut(Out):
    name: str
    monitors: int
