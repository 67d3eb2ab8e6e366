"""How verdicts move a monitor's state and what is told of it, while it is hushed and afterwards, over whole histories.

`Narrator` is the independent model: it knows the outages of a history and what a person may hear of them, and counts
nothing the way the code does.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.verdicts import transition
from actors.verdicts.transition import State, Step, Told

START = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = settings(deadline=None, max_examples=200)


class Round(NamedTuple):
    verdict: str
    hush: str | None = None
    unheard: str | None = None


verdicts = st.sampled_from(["up", "up", "down", "down", "error"])
hushes = st.sampled_from([None, None, None, "maintenance", "mute"])
unheards = st.sampled_from([None, None, None, "no-provider", "alerts-off"])
#: Stretches of the same weather: histories in which something happens.
stretches = st.lists(st.tuples(verdicts, hushes, unheards, st.integers(1, 4)), max_size=14)
histories = stretches.map(lambda them: [Round(*one[:3]) for one in them for _ in range(one[3])])
thresholds = st.integers(1, 3)


def live_through(history: list[Round], failure: int, recovery: int) -> list[Step]:
    state, steps = State(), []
    for number, one in enumerate(history):
        at = START + timedelta(minutes=number)
        found = transition.step(state, one.verdict, at, failure, recovery, one.hush, one.unheard)
        steps.append(found)
        state = found.state
    return steps


@dataclass
class Story:
    """One outage as people hear of it: begins with a change to down, ends with the recovery being told or needless."""

    told: list[int] = field(default_factory=list)
    #: A failure found no provider.
    unfound: bool = False
    recovery: int = 0


@dataclass
class Narrator:
    """What is told of a history, by the sentences of the specification."""

    failure: int
    recovery: int
    streak: list[str] = field(default_factory=list)
    down: bool = False
    stories: list[Story] = field(default_factory=list)
    open: bool = False

    def hear(self, one: Round) -> tuple[str, int | None] | None:
        """What goes out for this round."""
        if one.verdict == "error":
            return None
        self.streak.append(one.verdict)
        self._turn()
        if not self.open:
            return None
        story = self.stories[-1]
        if self.down and one.verdict == "down":
            if one.hush or one.unheard or len(story.told) == 3:
                story.unfound |= not one.hush and one.unheard == "no-provider" and len(story.told) < 3
                return None
            story.told.append(len(story.told) + 1)
            return "down", story.told[-1]
        if not self.down and one.verdict == "up":
            if story.told and one.hush:
                return None
            self.open = False
            if story.told or (story.unfound and not one.hush):
                story.recovery += 1
                return "up", None
        return None

    def _turn(self) -> None:
        word, count = ("up", self.recovery) if self.down else ("down", self.failure)
        if self.streak[-count:] == [word] * count:
            self.down = not self.down
            if self.down and not self.open:
                self.stories.append(Story())
                self.open = True


def went_out(step: Step) -> tuple[str, int | None] | None:
    told = step.told
    return None if told is None or told.over_limit or told.hushed else (told.kind, told.number)


@QUICK
@given(histories, thresholds, thresholds)
def test_what_goes_out_is_what_the_specification_says(history: list[Round], failure: int, recovery: int) -> None:
    narrator = Narrator(failure, recovery)
    for number, (one, step) in enumerate(zip(history, live_through(history, failure, recovery), strict=True)):
        assert went_out(step) == narrator.hear(one), number
    assert all(one.told == [1, 2, 3][: len(one.told)] for one in narrator.stories)


@QUICK
@given(histories, thresholds, thresholds)
def test_the_limit_the_numbers_and_the_recoveries_hold_in_every_sequence(
    history: list[Round], failure: int, recovery: int
) -> None:
    numbers: dict[int, list[int | None]] = {}
    for step in live_through([one._replace(unheard=None) for one in history], failure, recovery):
        if out := went_out(step):
            numbers.setdefault(step.state.failure_sequence, []).append(out[1])
    for told in numbers.values():
        failures = [one for one in told if one is not None]
        assert failures == [1, 2, 3][: len(failures)]
        assert failures, "a recovery of nothing that was told"
        assert told.count(None) <= 1
        assert None not in told[:-1], "nothing is told of a sequence after its recovery"


@QUICK
@given(histories, thresholds, thresholds)
def test_hushing_changes_nothing_but_what_is_told(history: list[Round], failure: int, recovery: int) -> None:
    hushed = live_through(history, failure, recovery)
    plain = live_through([Round(one.verdict) for one in history], failure, recovery)
    for mine, other in zip(hushed, plain, strict=True):
        assert mine.changed == other.changed
        assert moved(mine.state) == moved(other.state)


def moved(state: State) -> tuple[object, ...]:
    return state.status, state.last_verdict, state.consecutive_failures, state.consecutive_successes


@QUICK
@given(histories, thresholds, thresholds)
def test_while_hushed_nothing_goes_out_and_no_number_is_used_up(
    history: list[Round], failure: int, recovery: int
) -> None:
    before = State()
    for one, step in zip(history, live_through(history, failure, recovery), strict=True):
        if one.hush:
            assert went_out(step) is None
            assert step.state.alerts_sent <= before.alerts_sent
        before = step.state


@QUICK
@given(histories, thresholds, thresholds)
def test_hushing_is_on_record_once_for_each_sequence_and_reason(
    history: list[Round], failure: int, recovery: int
) -> None:
    recorded: list[tuple[int, str | None]] = []
    owed: set[tuple[int, str | None]] = set()
    before = State()
    for one, step in zip(history, live_through(history, failure, recovery), strict=True):
        because = one.hush or one.unheard
        key = (step.state.failure_sequence, because)
        if step.told is not None and step.told.hushed:
            recorded.append(key)
        if because and one.verdict == "down" and step.state.status == "down" and before.alerts_sent < 3:
            owed.add(key)
        before = step.state
    assert sorted(recorded, key=str) == sorted(owed, key=str)


@QUICK
@given(histories, thresholds, thresholds)
def test_whatever_is_held_back_is_owed_until_something_is_told_or_there_is_nothing_left_to_tell(
    history: list[Round], failure: int, recovery: int
) -> None:
    for step in live_through(history, failure, recovery):
        state = step.state
        if went_out(step):
            assert not state.owing
        if state.owing:
            released = transition.step(state, "down" if state.status == "down" else "up", START, 1, 1)
            assert released.told is not None, "the fresh round tells it"
            assert not released.state.owing


@QUICK
@given(histories, thresholds, thresholds, st.data())
def test_a_monitor_that_is_well_and_hushed_no_longer_leaves_no_alert_without_its_recovery(
    history: list[Round], failure: int, recovery: int, data: st.DataObject
) -> None:
    errors = data.draw(st.integers(0, 2))
    ending = [Round("error")] * errors + [Round("up")] * recovery
    steps = live_through([*history, *ending], failure, recovery)
    stories: dict[int, list[int | None]] = {}
    for step in steps:
        if out := went_out(step):
            stories.setdefault(step.state.failure_sequence, []).append(out[1])
    assert all(told[-1] is None for told in stories.values())
    assert steps[-1].state.alerts_sent == 0


@QUICK
@given(histories, thresholds, thresholds)
def test_what_is_told_of_a_heartbeat_when_hushing_ends_is_what_its_next_round_would_tell(
    history: list[Round], failure: int, recovery: int
) -> None:
    state = State()
    for step in live_through(history, failure, recovery):
        state = step.state
        found = transition.released(state)
        assert found.state == replace(found.state, owing=False)
        if found.told is None:
            continue
        assert state.last_verdict == "error" or state.last_verdict == state.status
        same = transition.step(state, state.status, START, failure, recovery)
        assert same.told == found.told
        assert transition.released(found.state).told != found.told or found.told.kind == "down"
        assert same.state.alerts_sent == found.state.alerts_sent
        assert same.state.failure_sequence == found.state.failure_sequence


def told(history: str) -> list[Told | None]:
    """Rounds in letters: u, d, e; in capitals while in maintenance."""
    words = {"u": "up", "d": "down", "e": "error"}
    rounds = [Round(words[one.lower()], "maintenance" if one.isupper() else None) for one in history]
    return [step.told for step in live_through(rounds, 1, 1)]


HELD = Told("down", None, hushed=True)


def test_an_outage_within_a_window_is_on_record_and_told_to_nobody() -> None:
    assert told("uDDUu") == [None, HELD, None, None, None]


def test_an_outage_that_outlasts_its_window_is_told_as_number_one_when_the_window_ends() -> None:
    assert told("uDDDdd") == [None, HELD, None, None, Told("down", 1), Told("down", 2)]


def test_an_outage_that_was_told_before_goes_on_with_the_next_number() -> None:
    assert told("udDDdd") == [None, Told("down", 1), HELD, None, Told("down", 2), Told("down", 3)]


def test_a_recovery_within_a_window_is_told_after_it() -> None:
    assert told("udUUu") == [None, Told("down", 1), None, None, Told("up", None)]


def test_an_outage_that_comes_back_before_its_end_was_told_goes_on() -> None:
    assert told("udUDdu") == [None, Told("down", 1), None, HELD, Told("down", 2), Told("up", None)]
    assert told("udUdu") == [None, Told("down", 1), None, Told("down", 2), Told("up", None)]


def test_after_three_alerts_a_window_changes_nothing_but_the_time_of_the_recovery() -> None:
    first, *alerts, held, again, limit, quiet, end = told("udddDDdUu")
    assert first is held is again is quiet is None
    assert alerts == [Told("down", number) for number in (1, 2, 3)]
    assert (limit, end) == (Told("down", None, over_limit=True), Told("up", None))
