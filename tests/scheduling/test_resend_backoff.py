"""What fails again and again is sent ever more seldom, and never given up."""

from datetime import UTC, datetime, timedelta

from scheduling.resend_backoff import AT_ONCE, LONGEST, STUBBORN, Insistence, pause

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SWEEP = timedelta(seconds=2)


def sweeps(insistence: Insistence[str], found: list[str], count: int, begin: datetime = NOON) -> list[datetime]:
    """When anything was sent in so many sweeps that find the same."""
    return [begin + SWEEP * turn for turn in range(count) if insistence.due(found, begin + SWEEP * turn)]


def test_what_is_still_there_at_the_next_sweep_is_sent_at_once_a_few_times() -> None:
    assert sweeps(Insistence(), ["a"], AT_ONCE) == [NOON + SWEEP * turn for turn in range(AT_ONCE)]


def test_what_stays_for_an_hour_is_sent_some_seventy_times_and_at_its_end_still() -> None:
    insistence: Insistence[str] = Insistence()
    sent = sweeps(insistence, ["poison"], 1800)
    assert 50 < len(sent) < 75
    assert sent[-1] > NOON + timedelta(minutes=58)
    assert insistence.stubborn() == ["poison"]


def test_one_that_stays_delays_no_other() -> None:
    insistence: Insistence[str] = Insistence()
    sweeps(insistence, ["poison"], 100)
    assert insistence.due(["poison", "new"], NOON + SWEEP * 100) == ["new"]


def test_what_was_done_is_forgotten() -> None:
    insistence: Insistence[str] = Insistence()
    sweeps(insistence, ["a"], 200)
    assert insistence.stubborn() == ["a"]
    assert insistence.due([], NOON) == []
    assert insistence.stubborn() == []
    assert insistence.due(["a"], NOON) == ["a"]


def test_pauses_only_grow_up_to_the_longest() -> None:
    pauses = [pause(times) for times in range(1, 100)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST
    assert sum(pauses[: STUBBORN - 1], timedelta()) < timedelta(minutes=5)
