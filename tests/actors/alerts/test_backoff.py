"""When a delivery is tried again."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.alerts import backoff
from scheduling import sweep

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
jitters = st.floats(0, 1)


@settings(deadline=None, max_examples=50)
@given(jitters)
def test_with_the_sweep_on_top_the_first_retry_is_within_5_s_and_the_second_within_20(jitter: float) -> None:
    first = backoff.next_attempt(1, START, START, None, lambda: jitter)
    second = backoff.next_attempt(2, START, START, None, lambda: jitter)
    assert first is not None
    assert second is not None
    assert START + timedelta(seconds=1) < first <= START + timedelta(seconds=5) - sweep.INTERVAL
    assert first < second <= START + timedelta(seconds=20) - sweep.INTERVAL


@settings(deadline=None, max_examples=100)
@given(st.lists(jitters, min_size=60, max_size=60))
def test_the_waits_grow_and_end_after_a_day(jitter: list[float]) -> None:
    now, waits = START, []
    for attempts, one in enumerate(jitter, start=1):
        at = backoff.next_attempt(attempts, START, now, None, lambda one=one: one)  # type: ignore[misc]
        if at is None:
            break
        waits.append(at - now)
        now = at
    else:
        raise AssertionError("it never gave up")
    assert all(later > earlier for earlier, later in pairwise(waits[:9]))
    assert START + timedelta(hours=12) < now <= START + backoff.GIVE_UP_AFTER
    assert 10 <= len(waits) <= 20


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 30), st.floats(0, 86_400), jitters)
def test_the_wait_that_a_service_asks_for_is_the_least(attempts: int, asked: float, jitter: float) -> None:
    at = backoff.next_attempt(attempts, START, START, asked, lambda: jitter)
    plain = backoff.next_attempt(attempts, START, START, None, lambda: jitter)
    assert at is not None
    assert plain is not None
    assert at == max(plain, START + timedelta(seconds=asked))


def test_a_wait_past_the_day_is_not_waited() -> None:
    late = START + backoff.GIVE_UP_AFTER - timedelta(minutes=1)
    assert backoff.next_attempt(3, START, late, 61, lambda: 0) is None
    assert backoff.next_attempt(1, START, late, 59, lambda: 0) is not None
