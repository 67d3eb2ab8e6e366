"""When many monitors change at once, people get a summary instead of a message each. Pure.

The alerts before the threshold is crossed go out one by one; everything further is collected, provider by provider,
and told in one message when it has been calm for a moment, or has gone on for long enough. Webhooks are read by
machines: they get every event all the same.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from models.queries.alert_groups import Change

#: A storm is more than the threshold's number of monitors within this time.
WINDOW = timedelta(seconds=30)
#: A summary goes out when nothing has come for so long ...
CALM = timedelta(seconds=5)
#: ... or when the first of its changes has waited for so long.
LONGEST = timedelta(seconds=30)
#: A summary names so many changes, the newest; its sentence counts them all.
NAMED = 500
BECAUSE = "storm: many monitors changed at once, so people are told in a summary"
#: Provider types that machines read.
MACHINES = frozenset({"webhook"})

_WORDS = {
    "monitor.down": "down",
    "heartbeat.missed": "missed",
    "monitor.up": "up again",
    "monitor.ssl_expiring": "with a certificate that ends",
}


def rages(others: int, threshold: int) -> bool:
    """Whether an alert belongs to a storm, when so many `others` of its project had something to tell lately."""
    return threshold > 0 and others >= threshold


def is_for_people(provider_type: str) -> bool:
    """Whether people read this channel."""
    return provider_type not in MACHINES


def is_ripe(first: datetime, last: datetime, now: datetime) -> bool:
    """Whether it is time for the summary of changes of which the first and the last were collected then."""
    return now - last >= CALM or now - first >= LONGEST


def headline(changes: Sequence[Change]) -> str:
    """`40 monitors`: what the summary is about."""
    count = len({one.monitor_id or one.alert_id for one in changes})
    return f"{count} monitor{'' if count == 1 else 's'}"


def sentence(changes: Sequence[Change]) -> str:
    """`38 alerts in a short time: 36 down, 2 up again.`"""
    counts = {word: sum(one.event == event for one in changes) for event, word in _WORDS.items()}
    parts = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"{len(changes)} alert{'' if len(changes) == 1 else 's'} in a short time: {parts}."


def status(changes: Sequence[Change]) -> str:
    """`down` where any monitor's newest change is bad, else `up`."""
    newest = {one.monitor_id or one.alert_id: one.event for one in changes}
    return "up" if set(newest.values()) <= {"monitor.up"} else "down"
