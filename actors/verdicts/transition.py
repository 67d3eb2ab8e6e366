"""How a verdict moves a monitor's state, and what is to be told. Pure: thresholds, numbering, the limit of three, hushing.

Given the same state and verdict it always answers the same, and it never looks at a clock.

An alert that nobody would receive (alerts are off, or no channel is in use) uses up no number either. It is on record once
for each reason, and it is not owed: as soon as somebody would receive it, the next failed round is the next number.

While a monitor is hushed (in maintenance, or muted), its counters and its status move as ever, and no alert number is used
up. What could not be told is owed: a failure as the next number, with the first failed round that is hushed no longer; the
end of an outage that was told, with the first such good round. An outage that comes back before its end was told goes on.
"""

from dataclasses import dataclass, replace
from datetime import datetime

#: Failure alerts in one failure sequence: the change and two continuations.
ALERT_LIMIT = 3
#: The reason on record for a failure alert that had no enabled provider.
NO_PROVIDER = "no-provider"


@dataclass(frozen=True, slots=True)
class State:
    """What of `monitor_states` a verdict moves. `alerts_sent` may be `ALERT_LIMIT + 1`: the limit itself is on record.

    Up with `alerts_sent` above zero: the recovery was hushed and is still to be told.
    """

    status: str = "pending"
    last_verdict: str | None = None
    consecutive_failures: int = 0
    consecutive_successes: int = 0
    failure_sequence: int = 0
    alerts_sent: int = 0
    down_since: datetime | None = None
    #: The reasons on record for what this sequence could not tell, a blank between them.
    hushed: str = ""
    #: Something could not be told, and nothing was since.
    owing: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """Something to tell, or to put on record.

    `number` is 1 to 3 for failures; None for a recovery, for what the limit holds back, and for what is `hushed` (which
    includes a failure alert without a recipient).
    """

    kind: str  # "down" or "up"
    number: int | None
    over_limit: bool = False
    hushed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """The state after a verdict; `changed` when the settled status is another."""

    state: State
    changed: bool
    told: Told | None
    #: When the outage that a recovery ends began.
    outage_began: datetime | None = None


def step(
    state: State,
    verdict: str,
    measured_at: datetime,
    failure_threshold: int,
    recovery_threshold: int,
    hush: str | None = None,
    unheard: str | None = None,
) -> Step:
    """Move `state` by one decided round.

    `hush` is the reason why nobody may be told of it now, `unheard` the reason why a failure alert has no recipient.
    """
    if verdict == "error":
        return Step(replace(state, last_verdict="error"), changed=False, told=None)
    if verdict == "up":
        return _good(state, recovery_threshold, hush)
    return _failed(state, measured_at, failure_threshold, hush, unheard)


def released(state: State, unheard: str | None = None) -> Step:
    """Tell what `state` owes now that it is hushed no longer, for a monitor that cannot be checked afresh.

    What its newest round does not bear out is left to the next one.
    """
    quiet = replace(state, owing=False)
    if state.status == "down" and state.consecutive_failures and state.alerts_sent < ALERT_LIMIT:
        return _tell_failure(quiet, changed=False, hush=None, unheard=unheard)
    if state.status == "up" and not state.consecutive_failures and state.alerts_sent:
        return _tell_recovery(quiet, changed=False, hush=None)
    return Step(quiet, changed=False, told=None)


def _good(state: State, recovery_threshold: int, hush: str | None) -> Step:
    counted = replace(
        state, last_verdict="up", consecutive_failures=0, consecutive_successes=state.consecutive_successes + 1
    )
    if state.status == "pending":
        return Step(replace(counted, status="up", down_since=None), changed=True, told=None)
    if state.status == "up":
        return _tell_recovery(counted, changed=False, hush=hush)
    if counted.consecutive_successes < recovery_threshold:
        return Step(counted, changed=False, told=None)
    return _tell_recovery(replace(counted, status="up"), changed=True, hush=hush)


def _tell_recovery(up: State, *, changed: bool, hush: str | None) -> Step:
    """The recovery of a failure that was told, or that found no provider: one that is enabled since learns of the end.

    What else nobody heard of ends in silence.
    """
    if up.alerts_sent and hush:
        return Step(replace(up, owing=True), changed, told=None, outage_began=up.down_since)
    over = replace(up, alerts_sent=0, down_since=None, hushed="", owing=False)
    known = up.alerts_sent or (NO_PROVIDER in up.hushed.split() and not hush)
    return Step(over, changed, told=Told("up", None) if known else None, outage_began=up.down_since)


def _failed(state: State, measured_at: datetime, failure_threshold: int, hush: str | None, unheard: str | None) -> Step:
    counted = replace(
        state,
        last_verdict="down",
        consecutive_failures=state.consecutive_failures + 1,
        consecutive_successes=0,
        down_since=state.down_since or measured_at,
    )
    if state.status == "down":
        return _tell_failure(counted, changed=False, hush=hush, unheard=unheard)
    if counted.consecutive_failures < failure_threshold:
        return Step(counted, changed=False, told=None)
    down = replace(counted, status="down")
    if not state.alerts_sent:
        down = replace(down, failure_sequence=state.failure_sequence + 1, hushed="")
    return _tell_failure(down, changed=True, hush=hush, unheard=unheard)


def _tell_failure(down: State, *, changed: bool, hush: str | None, unheard: str | None) -> Step:
    if down.alerts_sent > ALERT_LIMIT:
        return Step(replace(down, owing=False), changed, told=None)
    number = down.alerts_sent + 1
    over = number > ALERT_LIMIT
    because = hush or unheard
    if not because:
        told = Told("down", None if over else number, over)
        return Step(replace(down, alerts_sent=number, owing=False), changed, told)
    held = replace(down, owing=hush is not None and not over)
    if over or because in down.hushed.split():
        return Step(held, changed, told=None)
    return Step(replace(held, hushed=f"{down.hushed} {because}".strip()), changed, Told("down", None, hushed=True))
