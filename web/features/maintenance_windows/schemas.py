"""Maintenance windows on the wire: what is sent to make or change one, and what is shown."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from web.api.pagination import PageQuery
from web.api.schema import FieldWarning, In, Name, Out, Time, TimeZone
from web.features.monitors.schemas import Tag, clean_tag

MOST_MONITORS = 1000
LONGEST_MINUTES = 30 * 24 * 60
State = Literal["active", "scheduled", "over", "disabled"]


class WindowIn(In):
    """A window as it shall be: once, from `startsAt` on (now where nothing is said), or by `cronExpression`, five fields
    read in `timezone`. For the monitors of a list, for those with a tag, or, with neither, for the whole project.
    """

    #: Shown, never set.
    READ_ONLY: ClassVar[frozenset[str]] = frozenset(
        [
            "id",
            "state",
            "monitorName",
            "occursFrom",
            "occursUntil",
            "lastFrom",
            "lastUntil",
            "createdAt",
            "updatedAt",
            "warnings",
        ]
    )

    name: Name = "Maintenance"
    starts_at: Time | None = None
    cron_expression: str | None = Field(default=None, max_length=200)
    timezone: TimeZone = "UTC"
    duration_minutes: int = Field(ge=1, le=LONGEST_MINUTES)
    monitor_id: UUID | None = Field(
        default=None, description="One monitor: the same as a list of it. Ignored if only the list was changed."
    )
    monitor_ids: list[UUID] | None = Field(
        default=None,
        max_length=MOST_MONITORS,
        description="The monitors that the window is for. Null: those with the tag, or the whole project."
        " An empty list is for none; only a disabled window may have it.",
    )
    tag: Annotated[Tag, AfterValidator(clean_tag)] | None = None
    enabled: bool = True


class WindowsQuery(PageQuery):
    """Filters of the list. `monitorId`: the windows that hold for this monitor, by its tags or its project, too."""

    state: State | None = None
    monitor_id: UUID | None = None


class WindowOut(Out):
    """A window. `monitorId` is the only monitor of `monitorIds`, else null; `monitorIds` is null for a window of a tag or
    of the whole project, and empty once all its monitors are deleted. `occursFrom` and `occursUntil` are its present or next time, `lastFrom` and `lastUntil` the one before."""

    id: UUID
    name: str
    state: State
    starts_at: datetime | None
    cron_expression: str | None
    timezone: str
    duration_minutes: int
    monitor_id: UUID | None
    monitor_name: str | None
    monitor_ids: list[UUID] | None
    tag: str | None
    enabled: bool
    occurs_from: datetime | None
    occurs_until: datetime | None
    last_from: datetime | None
    last_until: datetime | None
    created_at: datetime
    updated_at: datetime
    #: Only in the answers to POST, PUT and PATCH.
    warnings: list[FieldWarning] = Field(default_factory=list)
