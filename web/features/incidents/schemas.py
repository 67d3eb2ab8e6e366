"""Incidents on the wire: outages with their beginning, end, cause and story."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from web.api.pagination import PageQuery
from web.api.schema import Out, Time
from web.features.alerts.schemas import AlertOut
from web.features.incidents.evidence import DETAILS


class IncidentsQuery(PageQuery):
    """`from` and `to` bound a time: an incident fits that began before `to` and had not ended before `from`."""

    monitor_id: UUID | None = None
    open: bool | None = None
    since: Time | None = Field(default=None, alias="from")
    until: Time | None = Field(default=None, alias="to")


class IncidentOut(Out):
    """One outage of one monitor. `endedAt` is null while it lasts; `durationSeconds` is then so far."""

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
    """What one location found in the first failed round."""

    location: str | None
    status: str
    checked_at: datetime
    response_time_ms: float | None
    error_code: str | None
    error_message: str | None
    details: dict[str, Any] = Field(json_schema_extra=DETAILS)


class EvidenceOut(Out):
    """The first failed round; locations that failed come first."""

    scheduled_for: datetime
    locations: list[IncidentLocationOut]


class IncidentDetailOut(IncidentOut):
    """`evidence` is null for outages that began before it was kept; `alerts` are in the order of their times."""

    evidence: EvidenceOut | None
    alerts: list[AlertOut]
