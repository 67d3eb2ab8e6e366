"""Incidents in the API: filters and responses."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from web.api.pagination import PageQuery
from web.api.schema import Out, Time
from web.features.alerts.schemas import AlertOut
from web.features.incidents.evidence import DETAILS


class IncidentsQuery(PageQuery):
    """An incident matches if it began before `to` and had not ended before `from`."""

    monitor_id: UUID | None = None
    open: bool | None = None
    since: Time | None = Field(default=None, alias="from")
    until: Time | None = Field(default=None, alias="to")


class IncidentOut(Out):
    """One outage of one monitor. `endedAt` is null while it is open; `durationSeconds` is then up to now."""

    id: UUID
    monitor_id: UUID
    monitor_name: str
    open: bool
    started_at: datetime
    ended_at: datetime | None
    duration_seconds: float
    error_code: str | None
    reason: str


class IncidentLocationOut(Out):
    """The result of one location in the first failed round."""

    location: str | None
    status: str
    checked_at: datetime
    response_time_ms: float | None
    error_code: str | None
    error_message: str | None
    details: dict[str, Any] = Field(json_schema_extra=DETAILS)


class EvidenceOut(Out):
    """The first failed round. Locations that failed come first."""

    scheduled_for: datetime
    locations: list[IncidentLocationOut]


class IncidentDetailOut(IncidentOut):
    """`evidence` is null for outages from before it was recorded. `alerts` are in the order of their times."""

    evidence: EvidenceOut | None
    alerts: list[AlertOut]
