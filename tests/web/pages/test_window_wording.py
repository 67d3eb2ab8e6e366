"""When a window is on, in words."""

from datetime import UTC, datetime, timedelta

import pytest

from web.features.maintenance_windows.labels import span

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("starts", "hours", "zone", "words"),
    [
        (
            datetime(2030, 1, 31, 21, tzinfo=UTC),
            1,
            "Europe/Berlin",
            "today 22:00-23:00 Europe/Berlin (21:00-22:00 UTC)",
        ),
        (datetime(2030, 1, 31, 21, tzinfo=UTC), 1, "UTC", "today 21:00-22:00 UTC"),
        (datetime(2030, 1, 31, 23, tzinfo=UTC), 2, "UTC", "today 23:00-Fri 1 Feb 01:00 UTC"),
        (
            datetime(2030, 1, 31, 23, 30, tzinfo=UTC),
            1,
            "Europe/Berlin",
            "Fri 1 Feb 00:30-01:30 Europe/Berlin (Thu 31 Jan 23:30-Fri 1 Feb 00:30 UTC)",
        ),
        (
            datetime(2031, 7, 1, 12, tzinfo=UTC),
            1,
            "Europe/London",
            "Tue 1 Jul 2031 13:00-14:00 Europe/London (12:00-13:00 UTC)",
        ),
        (datetime(2030, 1, 31, 21, tzinfo=UTC), 1, "no such zone", "today 21:00-22:00 no such zone"),
    ],
)
def test_a_time_is_told_on_the_clocks_of_its_zone_and_in_utc(
    starts: datetime, hours: int, zone: str, words: str
) -> None:
    assert span(starts, starts + hours * HOUR, zone, NOW) == words.replace("-", "\N{EN DASH}")
