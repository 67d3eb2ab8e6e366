"""Work that fails repeatedly is resent less and less often, and never given up."""

from datetime import UTC, datetime, timedelta

from scheduling.resend_backoff import IMMEDIATE_SENDS, LONGEST_PAUSE, STUCK_AFTER, ResendBackoff, pause

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SWEEP = timedelta(seconds=2)


def sweeps(backoff: ResendBackoff[str], found: list[str], count: int, begin: datetime = NOON) -> list[datetime]:
    """Return the times of the sends in `count` sweeps that find the same work."""
    return [begin + SWEEP * number for number in range(count) if backoff.due(found, begin + SWEEP * number)]


def test_unfinished_work_is_sent_at_every_sweep_a_few_times() -> None:
    assert sweeps(ResendBackoff(), ["a"], IMMEDIATE_SENDS) == [
        NOON + SWEEP * number for number in range(IMMEDIATE_SENDS)
    ]


def test_work_unfinished_for_an_hour_is_sent_at_most_seventy_five_times_and_until_the_end() -> None:
    backoff: ResendBackoff[str] = ResendBackoff()
    sent = sweeps(backoff, ["poison"], 1800)
    assert 50 < len(sent) < 75
    assert sent[-1] > NOON + timedelta(minutes=58)
    assert backoff.stuck() == ["poison"]


def test_stuck_work_delays_no_other() -> None:
    backoff: ResendBackoff[str] = ResendBackoff()
    sweeps(backoff, ["poison"], 100)
    assert backoff.due(["poison", "new"], NOON + SWEEP * 100) == ["new"]


def test_finished_work_is_forgotten() -> None:
    backoff: ResendBackoff[str] = ResendBackoff()
    sweeps(backoff, ["a"], 200)
    assert backoff.stuck() == ["a"]
    assert backoff.due([], NOON) == []
    assert backoff.stuck() == []
    assert backoff.due(["a"], NOON) == ["a"]


def test_pauses_only_grow_up_to_the_longest() -> None:
    pauses = [pause(times) for times in range(1, 100)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    assert sum(pauses[: STUCK_AFTER - 1], timedelta()) < timedelta(minutes=5)
