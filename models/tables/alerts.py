"""Alerts, their deliveries, and the alerts that wait for a summary."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.tables.base import Base, created_now, new_id


class Alert(Base):
    """An alert about a monitor: an outbox row, written in the transaction that changed the state.

    An alert of type `summary` has no monitor: it sends several changes to one provider (`SummaryItem`).
    `context` is what the message needs besides the monitor's row, as of the time of the verdict.
    `status` follows the deliveries; `pending` with `planned_at` null means that no deliveries are planned yet.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'sent', 'failed', 'suppressed')", name="status"),
        # The database enforces it: no two alerts with the same number in a failure sequence, no two recoveries.
        Index(
            "uq_alerts_failure_number",
            "monitor_id",
            "failure_sequence",
            "alert_number",
            unique=True,
            postgresql_where=text("alert_number IS NOT NULL"),
        ),
        Index(
            "uq_alerts_recovery",
            "monitor_id",
            "failure_sequence",
            unique=True,
            postgresql_where=text("type = 'monitor.up' AND NOT manual"),
        ),
        Index("ix_alerts_project", "project_id", text("created_at DESC")),
        Index("ix_alerts_unplanned", "created_at", postgresql_where=text("planned_at IS NULL")),
        Index("ix_alerts_planned", "project_id", "planned_at"),
    )

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    monitor_id: Mapped[UUID | None] = mapped_column(ForeignKey("monitors.id", ondelete="SET NULL"), index=True)
    monitor_name: Mapped[str]
    type: Mapped[str]
    failure_sequence: Mapped[int | None]
    alert_number: Mapped[int | None]
    manual: Mapped[bool] = mapped_column(server_default=text("false"))
    status: Mapped[str] = mapped_column(server_default="pending")
    reason: Mapped[str] = mapped_column(server_default="")
    #: Why it was not sent: limit, mute, maintenance, `storm`, alerts off, no provider. With `storm` the alert is part of a
    #: summary, and it may still have deliveries to webhooks, which `status` then follows.
    suppressed_because: Mapped[str | None]
    context: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    correlation_id: Mapped[str | None]
    planned_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()

    deliveries: Mapped[list["Delivery"]] = relationship(
        order_by="Delivery.created_at", passive_deletes=True, back_populates="alert"
    )


class LoggedAttempt(NamedTuple):
    """One attempt of a delivery. `outcome` is sent, retrying, failed, or lost (the worker crashed)."""

    at: datetime
    duration_ms: float | None
    outcome: str
    error: str | None


class Delivery(Base):
    """One alert to one provider. Every attempt sends `id`, so that receivers can recognise a repetition.

    `next_attempt_at` is when the sweep may start the next attempt; until `claimed_until` no second worker may take it,
    unless the process `claimed_by` is dead. `logged` holds the latest attempts (`attempt_log` parses them), each
    `{at, durationMs, outcome, error}`. `restarted_at` is when a user retried a failed delivery from the beginning.
    `waits_since` is set while it waits for capacity of its provider or project (`models.queries.delivery_capacity`).
    `fallback_for` is the failed delivery that this one replaces, if it goes to a fallback provider.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'retrying', 'sent', 'failed')", name="status"),
        Index("uq_deliveries_alert_provider", "alert_id", "provider_id", unique=True),
        Index("ix_deliveries_due", "next_attempt_at", postgresql_where=text("status IN ('pending', 'retrying')")),
        Index("ix_deliveries_provider", "provider_id", "created_at"),
        Index("ix_deliveries_failed", "created_at", postgresql_where=text("status = 'failed'")),
        Index("ix_deliveries_claimed", "provider_id", postgresql_where=text("claimed_by IS NOT NULL")),
        Index("ix_deliveries_waiting", "provider_id", "waits_since", postgresql_where=text("waits_since IS NOT NULL")),
    )

    id: Mapped[UUID] = new_id()
    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("notification_providers.id", ondelete="SET NULL"))
    provider_type: Mapped[str]
    provider_name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default="0")
    error: Mapped[str | None]
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    claimed_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    waits_since: Mapped[datetime | None]
    duration_ms: Mapped[float | None]
    logged: Mapped[list[dict[str, Any]]] = mapped_column("attempt_log", JSONB, server_default=text("'[]'"))
    restarted_at: Mapped[datetime | None]
    fallback_for: Mapped[UUID | None]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()

    alert: Mapped[Alert] = relationship(back_populates="deliveries")

    @property
    def attempt_log(self) -> "list[LoggedAttempt]":
        """Return the latest attempts, oldest first."""
        return [
            LoggedAttempt(datetime.fromisoformat(row["at"]), row["durationMs"], row["outcome"], row["error"])
            for row in self.logged or ()
        ]


class SummaryItem(Base):
    """An alert that one provider receives in a summary instead of a message of its own.

    `summary_id` is the alert of type `summary` that contains it; null until then. It is deleted with its summary, because
    otherwise the alert would be collected for a second one.
    """

    __tablename__ = "storm_changes"
    __table_args__ = (Index("ix_storm_changes_open", "provider_id", postgresql_where=text("summary_id IS NULL")),)

    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(
        ForeignKey("notification_providers.id", ondelete="CASCADE"), primary_key=True
    )
    collected_at: Mapped[datetime] = created_now()
    summary_id: Mapped[UUID | None] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), index=True)
