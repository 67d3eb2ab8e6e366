"""How verdicts change a monitor's state, and which alerts follow, during a suppression and after it, over whole histories.

`ReferenceModel` is independent of the code: it follows the outages of a history by the sentences of the specification.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.verdicts import transition
from actors.verdicts.transition import AlertDecision, Transition
from models.rules.monitor_state import State

START = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = settings(deadline=None, max_examples=200)


class Round(NamedTuple):
    verdict: str
    suppressed_by: str | None = None
    no_recipient: str | None = None


verdicts = st.sampled_from(["up", "up", "down", "down", "error"])
suppressions = st.sampled_from([None, None, None, "maintenance", "mute"])
missing_recipients = st.sampled_from([None, None, None, "no-provider", "alerts-off"])
#: Runs of equal rounds: most histories then contain outages.
runs = st.lists(st.tuples(verdicts, suppressions, missing_recipients, st.integers(1, 4)), max_size=14)
histories = runs.map(lambda drawn: [Round(*values[:3]) for values in drawn for _ in range(values[3])])
thresholds = st.integers(1, 3)


def live_through(history: list[Round], failure: int, recovery: int) -> list[Transition]:
    state, changes = State(), []
    for number, (verdict, suppressed_by, no_recipient) in enumerate(history):
        at = START + timedelta(minutes=number)
        change = transition.advance(state, verdict, at, failure, recovery, suppressed_by, no_recipient)
        changes.append(change)
        state = change.state
    return changes


@dataclass
class Outage:
    """One outage as its recipients see it: from the change to down until the recovery alert is sent or not needed."""

    alerts: list[int] = field(default_factory=list)
    #: A failure had no provider.
    had_no_provider: bool = False
    recovery: int = 0


@dataclass
class ReferenceModel:
    """The alerts of a history, by the sentences of the specification."""

    failure: int
    recovery: int
    streak: list[str] = field(default_factory=list)
    down: bool = False
    outages: list[Outage] = field(default_factory=list)
    open: bool = False

    def alert_for(self, due: Round) -> tuple[str, int | None] | None:
        """Return the alert that is sent for this round."""
        if due.verdict == "error":
            return None
        self.streak.append(due.verdict)
        self._change_status()
        if not self.open:
            return None
        outage = self.outages[-1]
        if self.down and due.verdict == "down":
            if due.suppressed_by or due.no_recipient or len(outage.alerts) == 3:
                no_provider = due.no_recipient == "no-provider"
                outage.had_no_provider |= not due.suppressed_by and no_provider and len(outage.alerts) < 3
                return None
            outage.alerts.append(len(outage.alerts) + 1)
            return "down", outage.alerts[-1]
        if not self.down and due.verdict == "up":
            if outage.alerts and due.suppressed_by:
                return None
            self.open = False
            if outage.alerts or (outage.had_no_provider and not due.suppressed_by):
                outage.recovery += 1
                return "up", None
        return None

    def _change_status(self) -> None:
        verdict, count = ("up", self.recovery) if self.down else ("down", self.failure)
        if self.streak[-count:] == [verdict] * count:
            self.down = not self.down
            if self.down and not self.open:
                self.outages.append(Outage())
                self.open = True


def sent(change: Transition) -> tuple[str, int | None] | None:
    alert = change.alert
    return None if alert is None or alert.over_limit or alert.suppressed else (alert.kind, alert.number)


@QUICK
@given(histories, thresholds, thresholds)
def test_the_alerts_sent_are_what_the_specification_says(history: list[Round], failure: int, recovery: int) -> None:
    model = ReferenceModel(failure, recovery)
    for number, (due, change) in enumerate(zip(history, live_through(history, failure, recovery), strict=True)):
        assert sent(change) == model.alert_for(due), number
    assert all(outage.alerts == [1, 2, 3][: len(outage.alerts)] for outage in model.outages)


@QUICK
@given(histories, thresholds, thresholds)
def test_the_limit_the_numbers_and_the_recoveries_hold_in_every_sequence(
    history: list[Round], failure: int, recovery: int
) -> None:
    numbers: dict[int, list[int | None]] = {}
    with_recipients = [due._replace(no_recipient=None) for due in history]
    for change in live_through(with_recipients, failure, recovery):
        if alert := sent(change):
            numbers.setdefault(change.state.failure_sequence, []).append(alert[1])
    for sequence in numbers.values():
        failures = [number for number in sequence if number is not None]
        assert failures == [1, 2, 3][: len(failures)]
        assert failures, "a recovery alert without a failure alert"
        assert sequence.count(None) <= 1
        assert None not in sequence[:-1], "an alert of a sequence after its recovery alert"


@QUICK
@given(histories, thresholds, thresholds)
def test_suppression_changes_only_the_alerts(history: list[Round], failure: int, recovery: int) -> None:
    suppressed = live_through(history, failure, recovery)
    plain = live_through([Round(due.verdict) for due in history], failure, recovery)
    for with_suppression, without in zip(suppressed, plain, strict=True):
        assert with_suppression.status_changed == without.status_changed
        assert counters(with_suppression.state) == counters(without.state)


def counters(state: State) -> tuple[object, ...]:
    return state.status, state.last_verdict, state.consecutive_failures, state.consecutive_successes


@QUICK
@given(histories, thresholds, thresholds)
def test_while_suppressed_no_alert_is_sent_and_no_number_is_used(
    history: list[Round], failure: int, recovery: int
) -> None:
    before = State()
    for due, change in zip(history, live_through(history, failure, recovery), strict=True):
        if due.suppressed_by:
            assert sent(change) is None
            assert change.state.alerts_sent <= before.alerts_sent
        before = change.state


@QUICK
@given(histories, thresholds, thresholds)
def test_a_suppressed_alert_is_recorded_once_per_sequence_and_reason(
    history: list[Round], failure: int, recovery: int
) -> None:
    recorded: list[tuple[int, str | None]] = []
    expected: set[tuple[int, str | None]] = set()
    before = State()
    for due, change in zip(history, live_through(history, failure, recovery), strict=True):
        reason = due.suppressed_by or due.no_recipient
        key = (change.state.failure_sequence, reason)
        if change.alert is not None and change.alert.suppressed:
            recorded.append(key)
        if reason and due.verdict == "down" and change.state.status == "down" and before.alerts_sent < 3:
            expected.add(key)
        before = change.state
    assert sorted(recorded, key=str) == sorted(expected, key=str)


@QUICK
@given(histories, thresholds, thresholds)
def test_a_suppressed_alert_is_pending_until_an_alert_is_sent_or_none_is_needed(
    history: list[Round], failure: int, recovery: int
) -> None:
    for change in live_through(history, failure, recovery):
        state = change.state
        if sent(change):
            assert not state.pending_alert
        if state.pending_alert:
            rechecked = transition.advance(state, "down" if state.status == "down" else "up", START, 1, 1)
            assert rechecked.alert is not None, "the recheck sends it"
            assert not rechecked.state.pending_alert


@QUICK
@given(histories, thresholds, thresholds, st.data())
def test_every_alert_is_followed_by_its_recovery_when_the_monitor_is_up_and_no_longer_suppressed(
    history: list[Round], failure: int, recovery: int, data: st.DataObject
) -> None:
    errors = data.draw(st.integers(0, 2))
    ending = [Round("error")] * errors + [Round("up")] * recovery
    changes = live_through([*history, *ending], failure, recovery)
    numbers: dict[int, list[int | None]] = {}
    for change in changes:
        if alert := sent(change):
            numbers.setdefault(change.state.failure_sequence, []).append(alert[1])
    assert all(sequence[-1] is None for sequence in numbers.values())
    assert changes[-1].state.alerts_sent == 0


@QUICK
@given(histories, thresholds, thresholds)
def test_the_pending_alert_of_a_heartbeat_is_the_one_that_its_next_round_would_send(
    history: list[Round], failure: int, recovery: int
) -> None:
    for change in live_through(history, failure, recovery):
        state = change.state
        resumed = transition.resume_after_suppression(state)
        assert resumed.state == resumed.state._replace(pending_alert=False)
        if resumed.alert is None:
            continue
        assert state.last_verdict == "error" or state.last_verdict == state.status
        next_round = transition.advance(state, state.status, START, failure, recovery)
        assert next_round.alert == resumed.alert
        again = transition.resume_after_suppression(resumed.state)
        assert again.alert != resumed.alert or resumed.alert.kind == "down"
        assert next_round.state.alerts_sent == resumed.state.alerts_sent
        assert next_round.state.failure_sequence == resumed.state.failure_sequence


def alerts(history: str) -> list[AlertDecision | None]:
    """Return the alert of each round. A letter is a round (u, d, e), a capital letter one in maintenance."""
    verdict_of = {"u": "up", "d": "down", "e": "error"}
    rounds = [Round(verdict_of[letter.lower()], "maintenance" if letter.isupper() else None) for letter in history]
    return [change.alert for change in live_through(rounds, 1, 1)]


SUPPRESSED = AlertDecision("down", None, suppressed=True)


def test_an_outage_within_a_window_is_recorded_and_not_alerted() -> None:
    assert alerts("uDDUu") == [None, SUPPRESSED, None, None, None]


def test_an_outage_that_outlasts_its_window_is_alerted_as_number_one_when_the_window_ends() -> None:
    assert alerts("uDDDdd") == [None, SUPPRESSED, None, None, AlertDecision("down", 1), AlertDecision("down", 2)]


def test_an_outage_that_was_alerted_before_continues_with_the_next_number() -> None:
    assert alerts("udDDdd") == [
        None,
        AlertDecision("down", 1),
        SUPPRESSED,
        None,
        AlertDecision("down", 2),
        AlertDecision("down", 3),
    ]


def test_a_recovery_within_a_window_is_alerted_after_it() -> None:
    assert alerts("udUUu") == [None, AlertDecision("down", 1), None, None, AlertDecision("up", None)]


def test_an_outage_that_returns_before_its_recovery_alert_continues() -> None:
    assert alerts("udUDdu") == [
        None,
        AlertDecision("down", 1),
        None,
        SUPPRESSED,
        AlertDecision("down", 2),
        AlertDecision("up", None),
    ]
    assert alerts("udUdu") == [
        None,
        AlertDecision("down", 1),
        None,
        AlertDecision("down", 2),
        AlertDecision("up", None),
    ]


def test_after_three_alerts_a_window_changes_nothing_but_the_time_of_the_recovery() -> None:
    first, *failures, fourth, fifth, limit, held, recovery = alerts("udddDDdUu")
    assert first is fourth is fifth is held is None
    assert failures == [AlertDecision("down", number) for number in (1, 2, 3)]
    assert (limit, recovery) == (AlertDecision("down", None, over_limit=True), AlertDecision("up", None))
