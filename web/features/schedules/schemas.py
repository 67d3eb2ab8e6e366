"""Schedules in the API: responses."""

from datetime import datetime
from uuid import UUID

from web.api.schema import Out
from web.features.monitors.schemas import Type


class ScheduledMonitor(Out):
    id: UUID
    name: str
    type: Type


class ScheduleOut(Out):
    """One active schedule. `lagSeconds` is how long its next run is overdue."""

    id: str
    monitor: ScheduledMonitor
    frequency_minutes: int | float | None
    cron_expression: str | None
    timezone: str
    next_run_at: datetime
    last_run_at: datetime | None
    lag_seconds: float
    skipped_slots: int
