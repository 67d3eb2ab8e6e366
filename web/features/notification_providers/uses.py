"""A notification provider chosen for every monitor of its project at once, and what its absence leaves."""

from uuid import UUID

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert

from models.tables import Monitor, MonitorNotificationSetting, NotificationProvider
from web.api.schema import FieldWarning
from web.features.notification_providers import recipients
from web.features.notification_providers import service as providers
from web.http.auth import Caller
from web.http.extensions import db
from web.services import audit_events


def use_for_all(who: Caller, provider_id: UUID) -> int:
    """Have every monitor of the project notify the provider too; the number of those that did not yet. Raises a 404 `Problem`."""
    provider = providers.find(who, provider_id)
    own = select(Monitor.id, literal(provider.id)).where(Monitor.project_id == who.project_id)
    statement = (
        insert(MonitorNotificationSetting)
        .from_select(["monitor_id", "provider_id"], own)
        .on_conflict_do_nothing()
        .returning(MonitorNotificationSetting.monitor_id)
    )
    added = len(db.session.scalars(statement).all())
    audit_events.record(who, "provider.used_for_all", "provider", provider.id, name=provider.name, monitors=added)
    return added


def unused(provider: NotificationProvider) -> tuple[int, int]:
    """Return how many monitors of the project do not notify `provider`, and how many there are."""
    uses = select(func.count()).where(MonitorNotificationSetting.provider_id == provider.id)
    all_monitors = select(func.count()).select_from(Monitor).where(Monitor.project_id == provider.project_id)
    total = db.session.scalar(all_monitors) or 0
    return total - (db.session.scalar(uses) or 0), total


def warnings(provider: NotificationProvider) -> list[FieldWarning]:
    """Return a warning for the switch: the monitors without an active channel because `provider` is disabled."""
    if provider.enabled:
        return []
    which = recipients.notifies_only(provider.id)
    if not (names := recipients.named(provider.project_id, which)):
        return []
    return [FieldWarning(field="enabled", message=f"These monitors have no active channel now: {names}.")]
