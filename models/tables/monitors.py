"""Monitors: their configuration, their state, their channels, and their maintenance windows."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, case, func, select, text
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from check_types import MonitorType
from models.rules.coverage import holds_for
from models.tables.base import Base, HasSecrets, created_now, new_id


def _one_of(words: type[StrEnum]) -> str:
    return ", ".join(repr(word.value) for word in words)


class Monitor(HasSecrets, Base):
    """The configuration of a monitor. `version` increases with every change, so that workers can cache the row.

    `config` is the wire's `config` without its secrets, which are encrypted in `secrets` as one JSON object.
    `interval_seconds` is null if `cron_expression` is set.
    """

    __tablename__ = "monitors"
    __table_args__ = (
        CheckConstraint(f"type IN ({_one_of(MonitorType)})", name="type"),
        CheckConstraint("(interval_seconds IS NULL) <> (cron_expression IS NULL)", name="schedule"),
        CheckConstraint("interval_seconds >= 1", name="interval"),
        Index("ix_monitors_project_name", "project_id", "name"),
        Index("ix_monitors_tags", "tags", postgresql_using="gin"),
    )

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    type: Mapped[str]
    target: Mapped[str] = mapped_column(server_default="")
    interval_seconds: Mapped[int | None]
    cron_expression: Mapped[str | None]
    timezone: Mapped[str] = mapped_column(server_default="UTC")
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    config: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    muted_until: Mapped[datetime | None]
    alerts_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    alert_on_failure: Mapped[bool] = mapped_column(server_default=text("true"))
    alert_on_recovery: Mapped[bool] = mapped_column(server_default=text("true"))
    alert_on_ssl_expiration: Mapped[bool] = mapped_column(server_default=text("true"))
    failure_threshold: Mapped[int] = mapped_column(server_default="1")
    recovery_threshold: Mapped[int] = mapped_column(server_default="1")
    custom_message: Mapped[str] = mapped_column(server_default="")
    #: SHA-256 of the heartbeat token; the token itself is encrypted in `secrets`.
    heartbeat_token_hash: Mapped[bytes | None] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(server_default="1")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_now()
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    state: Mapped["MonitorState"] = relationship(
        back_populates="monitor", cascade="all, delete-orphan", passive_deletes=True
    )
    providers: Mapped[list["MonitorNotificationSetting"]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True
    )
    if TYPE_CHECKING:
        #: A computed property, defined below.
        maintenance_until: Mapped[datetime | None]


class MonitorState(Base):
    """The state of a monitor. The pipeline writes it at every check; pages and the API read it.

    `status` is the settled status (`pending`, `up`, `down`); `last_verdict` may also be `error`, which settles nothing.
    `open_*` is the round in progress: its scheduled time, the locations asked, and when the sweep decides it regardless.
    `decided_for` is the newest scheduled time that was decided: an older round never changes the state.
    `failure_sequence` numbers the outages. `alerts_sent` counts the failure alerts of the current outage that had a recipient; it
    stays above zero after a recovery whose alert is still pending. `suppressed_by` holds the reasons (`maintenance`, `mute`,
    `no-provider` …, separated by spaces) that are recorded for suppressed alerts of this outage. `pending_alert` is set while an
    alert that maintenance or a mute suppressed is still to be sent.
    """

    __tablename__ = "monitor_states"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'up', 'down')", name="status"),
        # The claim reads the due end of this index, five times a second at most.
        Index("ix_monitor_states_due", "next_run_at", postgresql_where=text("next_run_at IS NOT NULL")),
        Index("ix_monitor_states_open", "open_deadline", postgresql_where=text("open_scheduled_for IS NOT NULL")),
        Index("ix_monitor_states_pending_alert", "monitor_id", postgresql_where=text("pending_alert")),
        {"postgresql_with": {"fillfactor": "60"}},
    )

    monitor_id: Mapped[UUID] = mapped_column(ForeignKey("monitors.id", ondelete="CASCADE"), primary_key=True)
    status: Mapped[str] = mapped_column(server_default="pending")
    last_verdict: Mapped[str | None]
    next_run_at: Mapped[datetime | None]
    last_run_at: Mapped[datetime | None]
    last_check_at: Mapped[datetime | None]
    last_status_change_at: Mapped[datetime | None]
    last_response_time_ms: Mapped[float | None]
    last_error_code: Mapped[str | None]
    last_error_message: Mapped[str | None]
    consecutive_failures: Mapped[int] = mapped_column(server_default="0")
    consecutive_successes: Mapped[int] = mapped_column(server_default="0")
    failure_sequence: Mapped[int] = mapped_column(server_default="0")
    alerts_sent: Mapped[int] = mapped_column(server_default="0")
    suppressed_by: Mapped[str] = mapped_column(server_default="")
    pending_alert: Mapped[bool] = mapped_column(server_default=text("false"))
    down_since: Mapped[datetime | None]
    decided_for: Mapped[datetime | None]
    open_scheduled_for: Mapped[datetime | None]
    open_expected: Mapped[list[str] | None]
    open_deadline: Mapped[datetime | None]
    skipped_slots: Mapped[int] = mapped_column(server_default="0")
    last_ping_at: Mapped[datetime | None]
    #: A heartbeat's `/start` that no end has followed yet.
    run_started_at: Mapped[datetime | None]

    monitor: Mapped[Monitor] = relationship(back_populates="state")


class MonitorNotificationSetting(Base):
    """A notification provider that a monitor uses."""

    __tablename__ = "monitor_notification_settings"

    monitor_id: Mapped[UUID] = mapped_column(ForeignKey("monitors.id", ondelete="CASCADE"), primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(
        ForeignKey("notification_providers.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class MaintenanceWindowMonitor(Base):
    """A monitor on the list of a maintenance window."""

    __tablename__ = "maintenance_window_monitors"

    window_id: Mapped[UUID] = mapped_column(ForeignKey("maintenance_windows.id", ondelete="CASCADE"), primary_key=True)
    monitor_id: Mapped[UUID] = mapped_column(
        ForeignKey("monitors.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class MaintenanceWindow(Base):
    """A time in which some monitors, a tag's monitors or a whole project are worked on: once, or by cron with a duration.

    `models.rules.coverage` says which monitors a window holds for.

    `occurs_*` is the present or next occurrence (see `models.rules.windows`), null once there is none any more, and while the
    window is switched off; `occurred_*` the one before it, which results that come late may still belong to.
    """

    __tablename__ = "maintenance_windows"
    __table_args__ = (
        CheckConstraint("(starts_at IS NULL) <> (cron_expression IS NULL)", name="when"),
        CheckConstraint("monitor_id IS NULL OR tag IS NULL", name="scope"),
        # Read with every group of results: the occurrences that have begun, and those that have just ended.
        Index("ix_maintenance_windows_occurs", "occurs_from", postgresql_where=text("occurs_from IS NOT NULL")),
        Index("ix_maintenance_windows_occurred", "occurred_until", postgresql_where=text("occurred_until IS NOT NULL")),
    )

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    starts_at: Mapped[datetime | None]
    cron_expression: Mapped[str | None]
    timezone: Mapped[str] = mapped_column(server_default="UTC")
    duration_seconds: Mapped[int]
    #: One of the listed monitors. A process of the release before lists reads only this, and must not take the window
    #: for one of the whole project.
    monitor_id: Mapped[UUID | None] = mapped_column(ForeignKey("monitors.id", ondelete="CASCADE"), index=True)
    tag: Mapped[str | None]
    #: Holds for the monitors of its list only, also if none is left. Neither this nor a tag: for the whole project.
    listed: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    occurs_from: Mapped[datetime | None]
    occurs_until: Mapped[datetime | None]
    occurred_from: Mapped[datetime | None]
    occurred_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    links: Mapped[list[MaintenanceWindowMonitor]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by=MaintenanceWindowMonitor.monitor_id
    )

    @property
    def monitor_ids(self) -> list[UUID] | None:
        """The monitors of its list, sorted; None if it is for a tag or for the whole project."""
        if self.listed:
            return sorted(link.monitor_id for link in self.links)
        return [self.monitor_id] if self.monitor_id else None

    @monitor_ids.setter
    def monitor_ids(self, wanted: Iterable[UUID] | None) -> None:
        chosen = sorted(set(wanted or ()))
        self.listed = wanted is not None
        self.monitor_id = chosen[0] if chosen else None
        kept = {link.monitor_id: link for link in self.links}
        self.links = [kept.get(one) or MaintenanceWindowMonitor(monitor_id=one) for one in chosen]


#: When the maintenance that a monitor is in ends; null where it is in none.
_MAINTENANCE_UNTIL = (
    select(func.max(MaintenanceWindow.occurs_until))
    .where(
        MaintenanceWindow.occurs_from <= func.now(),
        MaintenanceWindow.occurs_until > func.now(),
        text(holds_for(MaintenanceWindow.__tablename__, Monitor.__tablename__)),
    )
    .correlate_except(MaintenanceWindow)
    .scalar_subquery()
)
Monitor.maintenance_until = column_property(_MAINTENANCE_UNTIL)


def shown_status(monitor: Monitor, state: MonitorState) -> str:
    """Return the status that users see.

    It is `paused` if the monitor is disabled, `maintenance` in a window, `error` if the last check could not run, else the
    stored status. `shown_status_expression` is the same rule in SQL; change both together.
    """
    if not monitor.enabled:
        return "paused"
    if monitor.maintenance_until is not None:
        return "maintenance"
    return "error" if state.last_verdict == "error" else state.status


def shown_status_expression() -> ColumnElement[str]:
    """Return `shown_status` as SQL, for a statement that joins `Monitor` and `MonitorState`."""
    return case(
        (Monitor.enabled.is_(False), "paused"),
        (_MAINTENANCE_UNTIL.is_not(None), "maintenance"),
        (MonitorState.last_verdict == "error", "error"),
        else_=MonitorState.status,
    )
