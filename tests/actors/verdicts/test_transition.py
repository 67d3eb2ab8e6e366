"""How verdicts change a monitor's state, over whole histories."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.verdicts import transition
from actors.verdicts.transition import AlertDecision, Transition
from models.rules.monitor_state import State

START = datetime(2026, 1, 1, tzinfo=UTC)
histories = st.lists(st.sampled_from(["up", "down", "down", "error"]), max_size=40)
thresholds = st.integers(1, 4)
QUICK = settings(deadline=None, max_examples=150)


class Moment(NamedTuple):
    verdict: str
    before: State
    change: Transition


def live_through(history: list[str], failure_threshold: int = 1, recovery_threshold: int = 1) -> list[Moment]:
    """Return the transitions of a monitor from its creation on, one per minute."""
    state, moments = State(), []
    for number, verdict in enumerate(history):
        at = START + timedelta(minutes=number)
        change = transition.advance(state, verdict, at, failure_threshold, recovery_threshold)
        moments.append(Moment(verdict, state, change))
        state = change.state
    return moments


def sent(moments: list[Moment]) -> list[tuple[int, AlertDecision]]:
    """Return (failure sequence, alert) of every alert that is sent."""
    return [
        (moment.change.state.failure_sequence, moment.change.alert)
        for moment in moments
        if moment.change.alert is not None and not moment.change.alert.over_limit
    ]


@QUICK
@given(histories, thresholds, thresholds)
def test_a_failure_sequence_has_at_most_three_failure_alerts_numbered_from_one(
    history: list[str], failure: int, recovery: int
) -> None:
    alerts = sent(live_through(history, failure, recovery))
    for sequence in {number for number, _ in alerts}:
        numbers = [alert.number for number, alert in alerts if number == sequence and alert.kind == "down"]
        assert numbers == [1, 2, 3][: len(numbers)]


@QUICK
@given(histories, thresholds, thresholds)
def test_every_recovery_alert_ends_an_outage_that_was_alerted_and_every_such_outage_gets_one(
    history: list[str], failure: int, recovery: int
) -> None:
    moments = live_through(history, failure, recovery)
    kinds = [alert.kind for _, alert in sent(moments)]
    ups = [moment for moment in moments if moment.change.status_changed and moment.before.status == "down"]
    assert kinds.count("up") == len(ups)
    outage_is_known = False
    for kind in kinds:
        assert kind == "down" or outage_is_known, "a recovery without an outage"
        outage_is_known = kind == "down"
    recoveries = [sequence for sequence, alert in sent(moments) if alert.kind == "up"]
    assert len(recoveries) == len(set(recoveries)), "one recovery a failure sequence"


@QUICK
@given(histories, thresholds, thresholds)
def test_an_error_neither_advances_nor_resets_anything(history: list[str], failure: int, recovery: int) -> None:
    with_errors = live_through(history, failure, recovery)
    without = live_through([verdict for verdict in history if verdict != "error"], failure, recovery)
    assert sent(with_errors) == sent(without)
    if with_errors and without:
        with_error_state, plain = with_errors[-1].change.state, without[-1].change.state
        assert (
            with_error_state.status,
            with_error_state.consecutive_failures,
            with_error_state.consecutive_successes,
        ) == (
            plain.status,
            plain.consecutive_failures,
            plain.consecutive_successes,
        )
    assert all(
        moment.change.alert is None and not moment.change.status_changed
        for moment in with_errors
        if moment.verdict == "error"
    )


@QUICK
@given(histories, thresholds, thresholds)
def test_the_status_changes_exactly_at_its_thresholds(history: list[str], failure: int, recovery: int) -> None:
    measured: list[str] = []
    for moment in live_through(history, failure, recovery):
        if moment.verdict != "error":
            measured.append(moment.verdict)
        if moment.change.status_changed and moment.change.state.status == "down":
            assert measured[-failure:] == ["down"] * failure
        elif moment.change.status_changed and moment.before.status == "down":
            assert measured[-recovery:] == ["up"] * recovery
        elif moment.before.status == "down":
            assert measured[-recovery:] != ["up"] * recovery
        elif measured and measured[-1] == "down":
            assert measured[-failure:] != ["down"] * failure, "the status must have changed"


@QUICK
@given(histories, thresholds, thresholds)
def test_an_outage_began_with_the_first_of_its_failures(history: list[str], failure: int, recovery: int) -> None:
    for number, moment in enumerate(live_through(history, failure, recovery)):
        if moment.change.status_changed and moment.change.state.status == "down":
            streak = [index for index in range(number + 1) if history[index] != "error"][-failure:]
            assert moment.change.state.down_since is not None
            assert moment.change.state.down_since <= START + timedelta(minutes=streak[0])
        if moment.change.state.status == "up" and moment.verdict == "up":
            assert moment.change.state.down_since is None


def test_a_recovery_threshold_of_two_sends_its_recovery_at_the_second_good_round() -> None:
    changes = [moment.change for moment in live_through(["up", "down", "up", "down", "up", "up"], recovery_threshold=2)]
    assert [change.state.status for change in changes] == ["up", "down", "down", "down", "down", "up"]
    assert [change.alert and (change.alert.kind, change.alert.number) for change in changes] == [
        None,
        ("down", 1),
        None,
        ("down", 2),
        None,
        ("up", None),
    ]


def test_a_new_monitor_whose_first_round_fails_alerts_and_one_whose_first_round_is_good_sends_nothing() -> None:
    assert [moment.change.alert for moment in live_through(["down"])] == [AlertDecision("down", 1)]
    assert [moment.change.alert for moment in live_through(["up"])] == [None]


def test_a_pending_monitor_stays_pending_until_the_failure_threshold() -> None:
    statuses = [moment.change.state.status for moment in live_through(["down", "down", "down"], failure_threshold=3)]
    assert statuses == ["pending", "pending", "down"]


def test_an_alert_over_the_limit_is_recorded_once() -> None:
    alerts = [moment.change.alert for moment in live_through(["down"] * 8)]
    assert [alert and alert.number for alert in alerts] == [1, 2, 3, None, None, None, None, None]
    assert [alert is not None and alert.over_limit for alert in alerts] == [False] * 3 + [True] + [False] * 4


def test_the_next_outage_counts_from_one_again() -> None:
    alerts = sent(live_through(["down"] * 5 + ["up", "down"]))
    assert alerts[-1] == (2, AlertDecision("down", 1))
