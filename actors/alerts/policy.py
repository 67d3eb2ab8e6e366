"""Decides whether an alert is sent, and if not, why not. Pure.

Mute and maintenance are applied where the state changes (`actors.verdicts.suppression`, `actors.verdicts.transition`):
an alert that is suppressed there does not count towards the limit and is sent later. An alert that was decided there is
sent, whatever happens afterwards. A failure alert without a recipient is detected there as well (`missing_recipient`),
because only alerts with a delivery count towards the limit.

The text before the colon of a suppression reason is a code that queries match; pages show the text after it.
"""

from datetime import datetime
from typing import NamedTuple

from actors.verdicts.transition import NO_PROVIDER
from models.queries.monitor_states import MonitorSnapshot
from models.queries.outbox import UnplannedAlert

_NO_PROVIDER = "no provider: this monitor has no active channel. Choose one"
_ALERTS_OFF = "off: alerts are turned off for this monitor"
_FAILURES_OFF = "off: failure alerts are turned off for this monitor"
_RECOVERIES_OFF = "off: recovery alerts are turned off for this monitor"
_CERTIFICATES_OFF = "off: certificate alerts are turned off for this monitor"
_NO_DOWN_ALERT = "off: no down alert was sent either"


class MissingRecipient(NamedTuple):
    """Why a failure alert has no recipient: a code for the state, and a sentence for the alert history."""

    reason: str
    sentence: str


def missing_recipient(monitor: MonitorSnapshot) -> MissingRecipient | None:
    """Return why a failure alert of this monitor has no recipient; None if it has one."""
    if not monitor.has_provider:
        return MissingRecipient(NO_PROVIDER, _NO_PROVIDER)
    if not monitor.alerts_enabled:
        return MissingRecipient("alerts-off", _ALERTS_OFF)
    return None if monitor.alert_on_failure else MissingRecipient("failures-off", _FAILURES_OFF)


def suppression_reason(alert: UnplannedAlert, now: datetime) -> str | None:
    """Return why the alert is not sent, for the alert history; None if it is sent."""
    if not alert.providers:
        return _NO_PROVIDER
    if alert.manual:
        return None
    if not alert.alerts_enabled:
        return _ALERTS_OFF
    if alert.type == "monitor.ssl_expiring":
        if alert.muted_until is not None and now < alert.muted_until:
            return f"mute: alerts are muted until {alert.muted_until:%Y-%m-%d %H:%M} UTC"
        return None if alert.alert_on_ssl_expiration else _CERTIFICATES_OFF
    if alert.type == "monitor.up":
        if not alert.alert_on_recovery:
            return _RECOVERIES_OFF
        # A provider that was added during the outage gets the recovery alert, which says that no down alert was sent.
        return None if alert.failure_was_sent or alert.failure_had_no_provider else _NO_DOWN_ALERT
    return None if alert.alert_on_failure else _FAILURES_OFF
