"""Whether an alert is told, and if not, why not. Pure.

Maintenance and mute are not judged here but where the state moves (`actors.hush`, `actors.transition`): an alert that is
held back there uses up no number and is made up for. Once decided, it goes out.
"""

from datetime import datetime

from models.queries.outbox import Unplanned


def held_back(alert: Unplanned, now: datetime) -> str | None:
    """The reason to tell nobody, in words for the alert history; None where it is to be told."""
    if not alert.providers:
        return "no provider: this monitor has no enabled notification provider"
    if alert.manual:
        return None
    if not alert.alerts_enabled:
        return "off: alerts are turned off for this monitor"
    if alert.type == "monitor.ssl_expiring":
        if alert.muted_until is not None and now < alert.muted_until:
            return f"mute: muted until {alert.muted_until:%Y-%m-%d %H:%M} UTC"
        return None if alert.alert_on_ssl_expiration else "off: certificate alerts are turned off for this monitor"
    if alert.type == "monitor.up":
        if not alert.alert_on_recovery:
            return "off: recovery alerts are turned off for this monitor"
        # Who can be told now learns of the end, and that it was not told of the beginning.
        heard = alert.failure_was_told or alert.failure_found_nobody
        return None if heard else "off: the failure it ends was told to nobody"
    return None if alert.alert_on_failure else "off: failure alerts are turned off for this monitor"
