"""Builds the notice of a delivery: what the channel's message contains. Pure, except for the public URL setting."""

from datetime import datetime
from typing import Any
from uuid import UUID

import settings
from models.queries.deliveries import ClaimedDelivery
from notifications.notice import Notice, NoticeChange, NoticeLocation, NoticeMonitor

_FAILURES = {"monitor.down", "heartbeat.missed"}


def notice_of(delivery: ClaimedDelivery, now: datetime) -> Notice:
    """Return the notice of a delivery, with the facts that were stored with the alert at the time of the verdict."""
    context = delivery.context
    return Notice(
        event=delivery.event,
        alert_id=delivery.alert_id,
        delivery_id=delivery.id,
        sent_at=now,
        monitor=_monitor(delivery),
        status=context.get("status", ""),
        previous_status=context.get("previousStatus"),
        reason=" ".join(filter(None, (delivery.reason, _remark(delivery)))),
        error_code=context.get("errorCode"),
        response_time_ms=context.get("responseTimeMs"),
        checked_at=_time(context.get("checkedAt")),
        consecutive_failure_count=context.get("consecutiveFailureCount", 0),
        alert_number=delivery.alert_number,
        locations=tuple(
            NoticeLocation(location["location"], location["status"], location["responseTimeMs"], location["error"])
            for location in context.get("locations", ())
        ),
        down_since=_time(context.get("downSince")),
        down_for_seconds=context.get("downForSeconds"),
        custom_message=delivery.custom_message or "",
        project=delivery.project,
        certificate=context.get("certificate"),
        status_code=context.get("statusCode"),
        timings=context.get("timings"),
        ended_at=delivery.ended_at if delivery.event in _FAILURES else None,
        incident_url=_incident_url(delivery),
        changes=tuple(_change(change) for change in context.get("changes", ())),
    )


def _remark(delivery: ClaimedDelivery) -> str:
    """Return why this recovery alert is late or has no down alert before it; "" for other alerts."""
    if delivery.is_late_recovery:
        return "This message is late: this channel was disabled when the outage ended."
    return "This channel got no alert when the outage began." if delivery.down_alert_missed else ""


def _monitor(delivery: ClaimedDelivery) -> NoticeMonitor:
    """Return the monitor. A summary has no monitor: return its headline and the page of all alerts."""
    base = settings.get().public_url
    monitor_id = delivery.monitor_id or UUID(int=0)
    url = f"{base}/alerts" if delivery.event == "summary" else f"{base}/monitors/{monitor_id}"
    return NoticeMonitor(monitor_id, delivery.monitor_name, delivery.monitor_type or "", delivery.target or "", url)


def _incident_url(delivery: ClaimedDelivery) -> str | None:
    return f"{settings.get().public_url}/incidents/{delivery.incident_id}" if delivery.incident_id else None


def _change(change: dict[str, Any]) -> NoticeChange:
    base, monitor_id = settings.get().public_url, change["monitorId"]
    url = f"{base}/monitors/{monitor_id}" if monitor_id else f"{base}/alerts"
    at = datetime.fromisoformat(change["at"])
    return NoticeChange(change["name"], url, change["event"], change["status"], change["reason"], at)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
