"""Whether an alert is told, and if not, why not. Pure.

Maintenance and mute are not judged here but where the state moves (`actors.verdicts.suppression`, `actors.verdicts.transition`): an alert that is
held back there uses up no number and is made up for. Once decided, it goes out. A failure alert without a recipient is
judged there as well (`unheard`): only alerts with a delivery count towards the limit.
"""

from datetime import datetime
from typing import NamedTuple

from actors.verdicts.transition import NO_PROVIDER
from models.queries.monitor_states import MonitorSnapshot
from models.queries.outbox import UnplannedAlert

_NO_PROVIDER = "no provider: this monitor has no enabled notification provider"
_ALERTS_OFF = "off: alerts are turned off for this monitor"
_FAILURES_OFF = "off: failure alerts are turned off for this monitor"


class Unheard(NamedTuple):
    """Why a failure alert has no recipient: a word for the state, and a sentence for the alert history."""

    reason: str
    sentence: str


def unheard(snapshot: MonitorSnapshot) -> Unheard | None:
    """Return why nobody would receive a failure alert of this monitor; None when somebody would."""
    if not snapshot.has_provider:
        return Unheard(NO_PROVIDER, _NO_PROVIDER)
    if not snapshot.alerts_enabled:
        return Unheard("alerts-off", _ALERTS_OFF)
    return None if snapshot.alert_on_failure else Unheard("failures-off", _FAILURES_OFF)


def held_back(alert: UnplannedAlert, now: datetime) -> str | None:
    """The reason to tell nobody, in words for the alert history; None where it is to be told."""
    if not alert.providers:
        return _NO_PROVIDER
    if alert.manual:
        return None
    if not alert.alerts_enabled:
        return _ALERTS_OFF
    if alert.type == "monitor.ssl_expiring":
        if alert.muted_until is not None and now < alert.muted_until:
            return f"mute: muted until {alert.muted_until:%Y-%m-%d %H:%M} UTC"
        return None if alert.alert_on_ssl_expiration else "off: certificate alerts are turned off for this monitor"
    if alert.type == "monitor.up":
        if not alert.alert_on_recovery:
            return "off: recovery alerts are turned off for this monitor"
        # Who can be told now learns of the end, and that it was not told of the beginning.
        heard = alert.failure_was_sent or alert.failure_had_no_provider
        return None if heard else "off: the failure it ends was told to nobody"
    return None if alert.alert_on_failure else _FAILURES_OFF
