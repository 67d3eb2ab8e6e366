"""What suppresses the alerts of a round."""

from datetime import UTC, datetime, timedelta

import pytest

from actors.verdicts.suppression import Suppression, in_maintenance, suppression_of

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
WINDOW = (AT, AT + HOUR)


@pytest.mark.parametrize(
    ("scheduled", "decided", "suppressed"),
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
def test_a_round_that_touches_a_window_is_suppressed(scheduled: datetime, decided: datetime, suppressed: bool) -> None:
    suppression = suppression_of([WINDOW], None, scheduled, decided)
    assert suppression == (Suppression("maintenance", AT + HOUR) if suppressed else None)


def test_of_several_windows_the_last_end_is_named_and_maintenance_goes_before_a_mute() -> None:
    windows = [WINDOW, (AT - HOUR, AT + 2 * HOUR)]
    suppression = suppression_of(windows, AT + 5 * HOUR, AT, AT)
    assert suppression == Suppression("maintenance", AT + 2 * HOUR)
    assert suppression.sentence == "maintenance: the monitor is in maintenance until 2026-05-04 14:00 UTC"


@pytest.mark.parametrize(
    ("until", "suppressed"), [(AT - SECOND, False), (AT, False), (AT + SECOND, True), (None, False)]
)
def test_a_mute_suppresses_until_its_end(until: datetime | None, suppressed: bool) -> None:
    suppression = suppression_of([], until, AT, AT + 2 * SECOND)
    assert (suppression is not None) == suppressed
    if suppression:
        assert suppression.sentence == "mute: alerts are muted until 2026-05-04 12:00 UTC"


def test_the_end_of_a_window_does_not_belong_to_it() -> None:
    assert [in_maintenance([WINDOW], AT + step * HOUR) for step in (-1, 0, 1)] == [False, True, False]
