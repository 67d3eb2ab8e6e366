"""How verdicts move a monitor's state, over whole histories."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.verdicts import transition
from actors.verdicts.transition import State, Step, Told

START = datetime(2026, 1, 1, tzinfo=UTC)
histories = st.lists(st.sampled_from(["up", "down", "down", "error"]), max_size=40)
thresholds = st.integers(1, 4)
QUICK = settings(deadline=None, max_examples=150)


class Moment(NamedTuple):
    verdict: str
    before: State
    step: Step


def live_through(history: list[str], failure_threshold: int = 1, recovery_threshold: int = 1) -> list[Moment]:
    """Every step of a monitor's life from its creation on, a minute each."""
    state, moments = State(), []
    for number, verdict in enumerate(history):
        step = transition.step(state, verdict, START + timedelta(minutes=number), failure_threshold, recovery_threshold)
        moments.append(Moment(verdict, state, step))
        state = step.state
    return moments


def told(moments: list[Moment]) -> list[tuple[int, Told]]:
    """(failure sequence, what was told) of everything that goes out."""
    return [
        (one.step.state.failure_sequence, one.step.told)
        for one in moments
        if one.step.told is not None and not one.step.told.over_limit
    ]


@QUICK
@given(histories, thresholds, thresholds)
def test_a_failure_sequence_has_at_most_three_failure_alerts_numbered_from_one(
    history: list[str], failure: int, recovery: int
) -> None:
    alerts = told(live_through(history, failure, recovery))
    for sequence in {number for number, _ in alerts}:
        numbers = [one.number for number, one in alerts if number == sequence and one.kind == "down"]
        assert numbers == [1, 2, 3][: len(numbers)]


@QUICK
@given(histories, thresholds, thresholds)
def test_every_recovery_ends_a_failure_that_was_told_and_every_told_failure_that_ends_is_told_to_end(
    history: list[str], failure: int, recovery: int
) -> None:
    moments = live_through(history, failure, recovery)
    kinds = [one.kind for _, one in told(moments)]
    ups = [one for one in moments if one.step.changed and one.before.status == "down"]
    assert kinds.count("up") == len(ups)
    outage_is_known = False
    for kind in kinds:
        assert kind == "down" or outage_is_known, "a recovery of nothing"
        outage_is_known = kind == "down"
    recoveries = [sequence for sequence, one in told(moments) if one.kind == "up"]
    assert len(recoveries) == len(set(recoveries)), "one recovery a failure sequence"


@QUICK
@given(histories, thresholds, thresholds)
def test_an_error_of_ours_neither_advances_nor_resets_anything(history: list[str], failure: int, recovery: int) -> None:
    with_errors = live_through(history, failure, recovery)
    without = live_through([word for word in history if word != "error"], failure, recovery)
    assert told(with_errors) == told(without)
    if with_errors and without:
        mine, plain = with_errors[-1].step.state, without[-1].step.state
        assert (mine.status, mine.consecutive_failures, mine.consecutive_successes) == (
            plain.status,
            plain.consecutive_failures,
            plain.consecutive_successes,
        )
    assert all(one.step.told is None and not one.step.changed for one in with_errors if one.verdict == "error")


@QUICK
@given(histories, thresholds, thresholds)
def test_the_status_turns_exactly_at_its_thresholds(history: list[str], failure: int, recovery: int) -> None:
    measured: list[str] = []
    for one in live_through(history, failure, recovery):
        if one.verdict != "error":
            measured.append(one.verdict)
        if one.step.changed and one.step.state.status == "down":
            assert measured[-failure:] == ["down"] * failure
        elif one.step.changed and one.before.status == "down":
            assert measured[-recovery:] == ["up"] * recovery
        elif one.before.status == "down":
            assert measured[-recovery:] != ["up"] * recovery
        elif measured and measured[-1] == "down":
            assert measured[-failure:] != ["down"] * failure, "it should have turned"


@QUICK
@given(histories, thresholds, thresholds)
def test_an_outage_began_with_the_first_of_its_failures(history: list[str], failure: int, recovery: int) -> None:
    for number, one in enumerate(live_through(history, failure, recovery)):
        if one.step.changed and one.step.state.status == "down":
            streak = [index for index in range(number + 1) if history[index] != "error"][-failure:]
            assert one.step.state.down_since is not None
            assert one.step.state.down_since <= START + timedelta(minutes=streak[0])
        if one.step.state.status == "up" and one.verdict == "up":
            assert one.step.state.down_since is None


def test_a_recovery_threshold_of_two_sends_its_recovery_at_the_second_good_round() -> None:
    steps = [one.step for one in live_through(["up", "down", "up", "down", "up", "up"], recovery_threshold=2)]
    assert [step.state.status for step in steps] == ["up", "down", "down", "down", "down", "up"]
    assert [step.told and (step.told.kind, step.told.number) for step in steps] == [
        None,
        ("down", 1),
        None,
        ("down", 2),
        None,
        ("up", None),
    ]


def test_a_new_monitor_whose_first_round_fails_alerts_and_one_whose_first_round_is_good_says_nothing() -> None:
    assert [one.step.told for one in live_through(["down"])] == [Told("down", 1)]
    assert [one.step.told for one in live_through(["up"])] == [None]


def test_a_pending_monitor_stays_pending_until_the_failure_threshold() -> None:
    found = [one.step.state.status for one in live_through(["down", "down", "down"], failure_threshold=3)]
    assert found == ["pending", "pending", "down"]


def test_what_the_limit_holds_back_is_put_on_record_once() -> None:
    steps = [one.step.told for one in live_through(["down"] * 8)]
    assert [one and one.number for one in steps] == [1, 2, 3, None, None, None, None, None]
    assert [one is not None and one.over_limit for one in steps] == [False] * 3 + [True] + [False] * 4


def test_the_next_outage_counts_from_one_again() -> None:
    alerts = told(live_through(["down"] * 5 + ["up", "down"]))
    assert alerts[-1] == (2, Told("down", 1))
