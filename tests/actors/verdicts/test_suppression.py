"""What hushes a round."""

from datetime import UTC, datetime, timedelta

import pytest

from actors.verdicts import suppression
from actors.verdicts.suppression import Hush

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
WINDOW = (AT, AT + HOUR)


@pytest.mark.parametrize(
    ("scheduled", "decided", "hushed"),
    [
        (AT - 2 * SECOND, AT - SECOND, False),
        (AT - SECOND, AT, True),
        (AT, AT + SECOND, True),
        (AT + HOUR - SECOND, AT + HOUR + SECOND, True),
        (AT - SECOND, AT + HOUR + SECOND, True),
        (AT + HOUR, AT + HOUR, False),
        # A check may be decided a moment before its scheduled time, with clocks that differ.
        (AT + SECOND, AT - SECOND, True),
    ],
)
def test_a_round_that_touches_a_window_is_hushed(scheduled: datetime, decided: datetime, hushed: bool) -> None:
    found = suppression.of_round([WINDOW], None, scheduled, decided)
    assert found == (Hush("maintenance", AT + HOUR) if hushed else None)


def test_of_several_windows_the_last_end_is_named_and_maintenance_goes_before_a_mute() -> None:
    windows = [WINDOW, (AT - HOUR, AT + 2 * HOUR)]
    found = suppression.of_round(windows, AT + 5 * HOUR, AT, AT)
    assert found == Hush("maintenance", AT + 2 * HOUR)
    assert found.sentence == "maintenance: in maintenance until 2026-05-04 14:00 UTC"


@pytest.mark.parametrize(("until", "hushed"), [(AT - SECOND, False), (AT, False), (AT + SECOND, True), (None, False)])
def test_a_mute_hushes_until_its_end(until: datetime | None, hushed: bool) -> None:
    found = suppression.of_round([], until, AT, AT + 2 * SECOND)
    assert (found is not None) == hushed
    if found:
        assert found.sentence == "mute: muted until 2026-05-04 12:00 UTC"


def test_the_end_of_a_window_does_not_belong_to_it() -> None:
    assert [suppression.in_maintenance([WINDOW], AT + step * HOUR) for step in (-1, 0, 1)] == [False, True, False]
