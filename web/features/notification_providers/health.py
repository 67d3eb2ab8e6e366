"""How providers did lately, counted from their deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select, text

from models.tables import Delivery, NotificationProvider
from web.features.notification_providers.schemas import Health, HealthPeriod
from web.http.extensions import db

_DAY, _WEEK = text("now() - interval '1 day'"), text("now() - interval '7 days'")


@dataclass(frozen=True, slots=True)
class Figures:
    """Deliveries of one provider, by what became of them."""

    sent_day: int = 0
    failed_day: int = 0
    sent_week: int = 0
    failed_week: int = 0
    waiting: int = 0
    retrying: int = 0


def count(provider_ids: Sequence[UUID]) -> dict[UUID, Figures]:
    """The figures of these providers, in one query."""
    made, status = Delivery.created_at, Delivery.status
    counted = (
        func.count().filter(status == "sent", made > _DAY),
        func.count().filter(status == "failed", made > _DAY),
        func.count().filter(status == "sent"),
        func.count().filter(status == "failed"),
        func.count().filter(status == "pending"),
        func.count().filter(status == "retrying"),
    )
    rows = db.session.execute(
        select(Delivery.provider_id, *counted)
        .where(Delivery.provider_id.in_(provider_ids), made > _WEEK)
        .group_by(Delivery.provider_id)
    )
    found = {row[0]: Figures(*row[1:]) for row in rows}
    return {one: found.get(one, Figures()) for one in provider_ids}


def of(provider: NotificationProvider, figures: Figures) -> Health:
    """The provider's health as answers show it."""
    return Health(
        status=status_of(provider),
        broken=provider.broken,
        last_success_at=provider.last_success_at,
        last_error_at=provider.last_error_at,
        last_error=provider.last_error,
        last_day=_period(figures.sent_day, figures.failed_day),
        last_week=_period(figures.sent_week, figures.failed_week),
        waiting=figures.waiting,
        retrying=figures.retrying,
    )


def status_of(provider: NotificationProvider) -> Literal["unknown", "ok", "failing", "broken"]:
    """What its last message says: `failing` where it did not get through, `broken` where none will."""
    success, failure = provider.last_success_at, provider.last_error_at
    if provider.broken:
        return "broken"
    if failure is not None and (success is None or failure > success):
        return "failing"
    return "unknown" if success is None else "ok"


def _period(sent: int, failed: int) -> HealthPeriod:
    ended = sent + failed
    return HealthPeriod(sent=sent, failed=failed, success_rate=round(100 * sent / ended, 2) if ended else None)
