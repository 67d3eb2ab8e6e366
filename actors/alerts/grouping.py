"""Alert grouping: when many monitors change at once, human channels get a summary instead of a message per monitor. Pure.

Alerts are sent one by one until the threshold is reached. Later alerts are collected per provider and sent as one
summary after a quiet period, or after the maximum delay. Event receivers (webhooks) get every event.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from channels import EVENT_RECEIVERS
from models.queries.alert_groups import GroupedAlert

#: Monitors of one project that change within this time count towards the threshold.
WINDOW = timedelta(seconds=30)
#: A summary is sent if no alert was collected for this long ...
QUIET_PERIOD = timedelta(seconds=5)
#: ... or if its first alert has waited for this long.
MAX_DELAY = timedelta(seconds=30)
#: A summary lists at most this many alerts, the newest ones; its reason counts all of them.
MAX_LISTED = 500
#: Recorded with an alert that is sent in a summary. Queries match the word before the colon.
REASON = "storm: many monitors changed at once, so human channels get a summary"

_WORDS = {
    "monitor.down": "down",
    "heartbeat.missed": "missed",
    "monitor.up": "up again",
    "monitor.ssl_expiring": "with an expiring certificate",
}


def is_flood(others: int, threshold: int) -> bool:
    """Return whether an alert is grouped if `others` monitors of its project had an alert within `WINDOW`.

    A threshold of 0 turns grouping off.
    """
    return threshold > 0 and others >= threshold


class AlertFlood:
    """Decides alert by alert which of a batch are part of a flood.

    `recent` holds, for each alert, the monitors of its project with recent alerts. Alerts of one project share one set,
    so that alerts of this batch count as well. Alerts without an entry are never grouped.
    """

    def __init__(self, recent: Mapping[UUID, set[UUID]], threshold: int) -> None:
        self._recent = recent
        self._threshold = threshold

    def includes(self, alert_id: UUID, monitor_id: UUID | None) -> bool:
        """Return whether the alert is part of a flood, and count its monitor for the alerts after it."""
        monitors = self._recent.get(alert_id)
        if monitors is None or monitor_id is None:
            return False
        is_part = is_flood(len(monitors - {monitor_id}), self._threshold)
        monitors.add(monitor_id)
        return is_part


def is_human_channel(provider_type: str) -> bool:
    """Return whether people read this channel, as opposed to an event receiver."""
    return provider_type not in EVENT_RECEIVERS


def is_due(first: datetime, last: datetime, now: datetime) -> bool:
    """Return whether to send a summary now; its first and last alerts were collected at `first` and `last`."""
    return now - last >= QUIET_PERIOD or now - first >= MAX_DELAY


def headline(changes: Sequence[GroupedAlert]) -> str:
    """Return the subject of the summary, such as `40 monitors`."""
    count = len({change.monitor_id or change.alert_id for change in changes})
    return f"{count} monitor{'' if count == 1 else 's'}"


def sentence(changes: Sequence[GroupedAlert]) -> str:
    """Return the reason of the summary, such as `38 alerts in a short time: 36 down, 2 up again.`"""
    counts = {word: sum(change.event == event for change in changes) for event, word in _WORDS.items()}
    parts = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"{len(changes)} alert{'' if len(changes) == 1 else 's'} in a short time: {parts}."


def status(changes: Sequence[GroupedAlert]) -> str:
    """Return `down` if the newest alert of any monitor is a failure, else `up`."""
    newest = {change.monitor_id or change.alert_id: change.event for change in changes}
    return "up" if set(newest.values()) <= {"monitor.up"} else "down"
