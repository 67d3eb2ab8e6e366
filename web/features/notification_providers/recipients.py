"""Which monitors notify whom: those without an active channel, and those with only one."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select

from models.tables import Monitor, NotificationProvider
from models.tables import MonitorNotificationSetting as Setting
from web.http.extensions import db

#: A sentence names so many monitors at most.
_NAMED = 5


def _has_provider(*, besides: UUID | None = None) -> ColumnElement[bool]:
    """Whether a monitor has a provider that is enabled, not counting the provider `besides`."""
    wanted = [Setting.monitor_id == Monitor.id, NotificationProvider.enabled.is_(True)]
    if besides is not None:
        wanted.append(Setting.provider_id != besides)
    found = select(Setting.monitor_id).join(NotificationProvider, NotificationProvider.id == Setting.provider_id)
    return exists(found.where(*wanted).correlate(Monitor))


def has_no_recipient() -> ColumnElement[bool]:
    """Return the condition that a monitor is enabled, has its alerts on, and has no enabled provider."""
    return and_(Monitor.enabled.is_(True), Monitor.alerts_enabled.is_(True), ~_has_provider())


def notifies_only(provider_id: UUID) -> ColumnElement[bool]:
    """Return the condition that a monitor has no enabled provider besides this one."""
    uses = exists(
        select(Setting.monitor_id)
        .where(Setting.monitor_id == Monitor.id, Setting.provider_id == provider_id)
        .correlate(Monitor)
    )
    on = and_(Monitor.enabled.is_(True), Monitor.alerts_enabled.is_(True))
    return and_(on, uses, ~_has_provider(besides=provider_id))


def count(project_id: UUID, which: ColumnElement[bool]) -> int:
    """Return how many monitors of the project are so."""
    found = select(func.count()).select_from(Monitor).where(Monitor.project_id == project_id, which)
    return db.session.scalar(found) or 0


def named(project_id: UUID, which: ColumnElement[bool]) -> str:
    """Return their names for a sentence, `A, B and 12 more`; empty when there is none."""
    total = count(project_id, which)
    query = select(Monitor.name).where(Monitor.project_id == project_id, which)
    names = list(db.session.scalars(query.order_by(func.lower(Monitor.name), Monitor.id).limit(_NAMED)))
    more = f" and {total - len(names)} more" if total > len(names) else ""
    return ", ".join(names) + more


def of_monitor(monitor: Monitor) -> Sequence[NotificationProvider]:
    """Return the enabled providers that `monitor` notifies, by name."""
    query = (
        select(NotificationProvider)
        .join(Setting, Setting.provider_id == NotificationProvider.id)
        .where(Setting.monitor_id == monitor.id, NotificationProvider.enabled.is_(True))
    )
    return db.session.scalars(query.order_by(func.lower(NotificationProvider.name))).all()
