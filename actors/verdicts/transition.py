"""How a verdict changes a monitor's state, and which alert follows. Pure: thresholds, alert numbers, the limit, suppression.

The same state and verdict always give the same transition; no function here reads a clock.

A failure alert without a recipient (alerts are disabled, or the monitor has no enabled channel) uses no alert number. It is
recorded once per reason and does not become pending: when there is a recipient, the next failed round is the next number.

While alerts are suppressed (maintenance or a mute), counters and status change as usual, and no alert number is used. A
suppressed alert is pending: a failure alert gets the next number at the first failed round after the suppression, and the
recovery alert of an outage that was alerted is sent at the first successful one. If the monitor fails again before its
recovery alert was sent, the outage continues.
"""

from datetime import datetime
from typing import NamedTuple

from models.rules.monitor_state import State

#: Failure alerts per failure sequence: the status change and two repetitions.
ALERT_LIMIT = 3
#: The recorded reason for a failure alert of a monitor without an enabled provider.
NO_PROVIDER = "no-provider"


class AlertDecision(NamedTuple):
    """An alert to send or to record.

    `number` is 1 to 3 for failures. It is None for a recovery, for an alert over the limit, and for a `suppressed` alert
    (which includes a failure alert without a recipient).
    """

    kind: str  # "down" or "up"
    number: int | None
    over_limit: bool = False
    suppressed: bool = False


class Transition(NamedTuple):
    """The state after a verdict; `status_changed` if the settled status is a different one."""

    state: State
    status_changed: bool
    alert: AlertDecision | None
    #: When the outage that a recovery ends began.
    outage_began: datetime | None = None


def advance(
    state: State,
    verdict: str,
    measured_at: datetime,
    failure_threshold: int,
    recovery_threshold: int,
    suppressed_by: str | None = None,
    no_recipient: str | None = None,
) -> Transition:
    """Return the transition from `state` by one decided round.

    `suppressed_by` is the reason why no alert may be sent now, `no_recipient` the reason why a failure alert would
    have no recipient.
    """
    if verdict == "error":
        return Transition(state._replace(last_verdict="error"), status_changed=False, alert=None)
    if verdict == "up":
        return _succeeded(state, recovery_threshold, suppressed_by)
    return _failed(state, measured_at, failure_threshold, suppressed_by, no_recipient)


def resume_after_suppression(state: State, no_recipient: str | None = None) -> Transition:
    """Return the transition that sends the pending alert of a monitor that cannot be rechecked (a heartbeat).

    If the latest round does not confirm the status, no alert is sent: the next round decides.
    """
    resumed = state._replace(pending_alert=False)
    if state.status == "down" and state.consecutive_failures and state.alerts_sent < ALERT_LIMIT:
        return _alert_failure(resumed, status_changed=False, suppressed_by=None, no_recipient=no_recipient)
    if state.status == "up" and not state.consecutive_failures and state.alerts_sent:
        return _alert_recovery(resumed, status_changed=False, suppressed_by=None)
    return Transition(resumed, status_changed=False, alert=None)


def _succeeded(state: State, recovery_threshold: int, suppressed_by: str | None) -> Transition:
    counted = state._replace(
        last_verdict="up", consecutive_failures=0, consecutive_successes=state.consecutive_successes + 1
    )
    if state.status == "pending":
        return Transition(counted._replace(status="up", down_since=None), status_changed=True, alert=None)
    if state.status == "up":
        return _alert_recovery(counted, status_changed=False, suppressed_by=suppressed_by)
    if counted.consecutive_successes < recovery_threshold:
        return Transition(counted, status_changed=False, alert=None)
    return _alert_recovery(counted._replace(status="up"), status_changed=True, suppressed_by=suppressed_by)


def _alert_recovery(up: State, *, status_changed: bool, suppressed_by: str | None) -> Transition:
    """Alert the recovery if a failure alert was sent, or had no provider: a provider enabled since then gets the recovery.

    Every other outage ends without an alert.
    """
    if up.alerts_sent and suppressed_by:
        pending = up._replace(pending_alert=True)
        return Transition(pending, status_changed, alert=None, outage_began=up.down_since)
    ended = up._replace(alerts_sent=0, down_since=None, suppressed_by="", pending_alert=False)
    expected = up.alerts_sent or (NO_PROVIDER in up.suppressed_by.split() and not suppressed_by)
    alert = AlertDecision("up", None) if expected else None
    return Transition(ended, status_changed, alert, outage_began=up.down_since)


def _failed(
    state: State, measured_at: datetime, failure_threshold: int, suppressed_by: str | None, no_recipient: str | None
) -> Transition:
    counted = state._replace(
        last_verdict="down",
        consecutive_failures=state.consecutive_failures + 1,
        consecutive_successes=0,
        down_since=state.down_since or measured_at,
    )
    if state.status == "down":
        return _alert_failure(counted, status_changed=False, suppressed_by=suppressed_by, no_recipient=no_recipient)
    if counted.consecutive_failures < failure_threshold:
        return Transition(counted, status_changed=False, alert=None)
    down = counted._replace(status="down")
    if not state.alerts_sent:
        down = down._replace(failure_sequence=state.failure_sequence + 1, suppressed_by="")
    return _alert_failure(down, status_changed=True, suppressed_by=suppressed_by, no_recipient=no_recipient)


def _alert_failure(
    down: State, *, status_changed: bool, suppressed_by: str | None, no_recipient: str | None
) -> Transition:
    if down.alerts_sent > ALERT_LIMIT:
        return Transition(down._replace(pending_alert=False), status_changed, alert=None)
    number = down.alerts_sent + 1
    over_limit = number > ALERT_LIMIT
    reason = suppressed_by or no_recipient
    if not reason:
        alert = AlertDecision("down", None if over_limit else number, over_limit)
        return Transition(down._replace(alerts_sent=number, pending_alert=False), status_changed, alert)
    held = down._replace(pending_alert=suppressed_by is not None and not over_limit)
    if over_limit or reason in down.suppressed_by.split():
        return Transition(held, status_changed, alert=None)
    recorded = held._replace(suppressed_by=f"{down.suppressed_by} {reason}".strip())
    return Transition(recorded, status_changed, AlertDecision("down", None, suppressed=True))
