"""The notice of a delivery: what a channel is given to tell. Pure but for the address of our own pages."""

from datetime import datetime
from typing import Any
from uuid import UUID

import settings
from models.queries.deliveries import Claimed
from notifications.notice import Notice, NoticeChange, NoticeLocation, NoticeMonitor

_FAILURES = {"monitor.down", "heartbeat.missed"}


def notice_of(claimed: Claimed, now: datetime) -> Notice:
    """The notice of a delivery, with what the alert froze at the moment of the verdict."""
    context = claimed.context
    return Notice(
        event=claimed.event,
        alert_id=claimed.alert_id,
        delivery_id=claimed.id,
        sent_at=now,
        monitor=_monitor(claimed),
        status=context.get("status", ""),
        previous_status=context.get("previousStatus"),
        reason=" ".join(filter(None, (claimed.reason, _aside(claimed)))),
        error_code=context.get("errorCode"),
        response_time_ms=context.get("responseTimeMs"),
        checked_at=_moment(context.get("checkedAt")),
        consecutive_failure_count=context.get("consecutiveFailureCount", 0),
        alert_number=claimed.alert_number,
        locations=tuple(
            NoticeLocation(one["location"], one["status"], one["responseTimeMs"], one["error"])
            for one in context.get("locations", ())
        ),
        down_since=_moment(context.get("downSince")),
        down_for_seconds=context.get("downForSeconds"),
        custom_message=claimed.custom_message or "",
        project=claimed.project,
        certificate=context.get("certificate"),
        status_code=context.get("statusCode"),
        timings=context.get("timings"),
        ended_at=claimed.ended_at if claimed.event in _FAILURES else None,
        incident_url=_incident(claimed),
        changes=tuple(_change(one) for one in context.get("changes", ())),
    )


def _aside(claimed: Claimed) -> str:
    """What the reader of this provider must know in order not to wonder."""
    if claimed.late_end:
        return "This message is late: this channel was off when the outage ended."
    return "This channel was not told when the outage began." if claimed.beginning_untold else ""


def _monitor(claimed: Claimed) -> NoticeMonitor:
    """The monitor; for a summary, which has none, its headline and the page of all alerts."""
    base = settings.get().public_url
    monitor_id = claimed.monitor_id or UUID(int=0)
    url = f"{base}/alerts" if claimed.event == "summary" else f"{base}/monitors/{monitor_id}"
    return NoticeMonitor(monitor_id, claimed.monitor_name, claimed.monitor_type or "", claimed.target or "", url)


def _incident(claimed: Claimed) -> str | None:
    return f"{settings.get().public_url}/incidents/{claimed.incident_id}" if claimed.incident_id else None


def _change(one: dict[str, Any]) -> NoticeChange:
    base, monitor_id = settings.get().public_url, one["monitorId"]
    url = f"{base}/monitors/{monitor_id}" if monitor_id else f"{base}/alerts"
    at = datetime.fromisoformat(one["at"])
    return NoticeChange(one["name"], url, one["event"], one["status"], one["reason"], at)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
