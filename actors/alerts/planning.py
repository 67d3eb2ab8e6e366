"""Plans alerts: creates a delivery for each provider, collects the alert for a summary, or suppresses it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

import structlog

import settings
from actors.alerts import policy
from actors.alerts.grouping import REASON, WINDOW, AlertFlood, is_human_channel
from models.connections.database import Db
from models.queries import alert_groups, outbox
from models.queries.outbox import UnplannedAlert

log = structlog.get_logger(__name__)


def plan(db: Db, alert_ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Plan these alerts and return the ids of their deliveries. Skip alerts that are planned already.

    Delivery ids are derived from alert and provider, so that a plan that was rolled back is repeated with the same ids.
    Raise psycopg's errors.
    """
    alerts = outbox.unplanned(db, alert_ids)
    flood = AlertFlood(_recently_alerted(db, alerts), settings.get().storm_threshold)
    delivery_ids: list[UUID] = []
    for alert in alerts:
        try:
            reason = policy.suppression_reason(alert, now)
            is_grouped = reason is None and flood.includes(alert.id, alert.monitor_id)
        except Exception:
            # A bug that one alert triggers must not stop the others. The sweep sends this alert again.
            log.exception("planning an alert failed", alert_id=str(alert.id))
            continue
        if reason:
            outbox.suppress(db, alert.id, reason)
        else:
            delivery_ids += _plan_deliveries(db, alert, is_grouped=is_grouped)
    return delivery_ids


def _recently_alerted(db: Db, alerts: Sequence[UnplannedAlert]) -> dict[UUID, set[UUID]]:
    """Return, for each alert, the monitors of its project with recent alerts; {} if no alert can be grouped."""
    alert_ids = [alert.id for alert in alerts if not alert.manual]
    has_human_channel = any(is_human_channel(kind) for alert in alerts for _, kind, _ in alert.providers)
    if not alert_ids or not has_human_channel or not settings.get().storm_threshold:
        return {}
    return alert_groups.recently_alerted(db, alert_ids, WINDOW)


def _plan_deliveries(db: Db, alert: UnplannedAlert, *, is_grouped: bool) -> list[UUID]:
    """Create a delivery for each provider and return the ids. If `is_grouped`, human channels get a summary instead."""
    collected = [provider_id for provider_id, kind, _ in alert.providers if is_grouped and is_human_channel(kind)]
    planned = [
        (uuid5(alert.id, str(provider[0])), *provider) for provider in alert.providers if provider[0] not in collected
    ]
    if collected:
        alert_groups.collect(db, alert.id, collected)
    if planned:
        outbox.plan(db, alert.id, planned, REASON if collected else None)
    else:
        outbox.suppress(db, alert.id, REASON)
    return [delivery_id for delivery_id, *_ in planned]
