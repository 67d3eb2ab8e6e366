"""The schedule of a monitor in words."""

from types import SimpleNamespace
from typing import Any

import pytest

from web.ui import schedules


def monitor(**values: Any) -> SimpleNamespace:
    defaults = {"type": "website", "cron_expression": None, "timezone": "UTC", "interval_seconds": 300, "config": {}}
    return SimpleNamespace(**{**defaults, **values})


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 3 * * *", "daily at 03:00"),
        ("30 14 * * 0", "Sundays at 14:30"),
        ("30 14 * * 7", "Sundays at 14:30"),
        ("5 8 * * 1", "Mondays at 08:05"),
        ("0 9 * * 1-5", "Monday to Friday at 09:00"),
        ("15 * * * *", "hourly at minute 15"),
        ("*/5 * * * *", "by cron */5 * * * *"),
        ("0 3 1 * *", "by cron 0 3 1 * *"),
        ("0 25 * * *", "by cron 0 25 * * *"),
        ("0 3 * * 1,2", "by cron 0 3 * * 1,2"),
        ("nonsense", "by cron nonsense"),
    ],
)
def test_common_cron_expressions_are_put_in_words(expression: str, words: str) -> None:
    assert schedules.cron(expression) == words


def test_a_polled_monitor_names_its_interval_or_its_cron_expression_with_the_time_zone() -> None:
    assert schedules.text(monitor()) == "every 5 min"
    by_cron = monitor(cron_expression="0 3 * * *", timezone="Europe/Berlin")
    assert schedules.text(by_cron) == "daily at 03:00 Europe/Berlin"


def test_a_heartbeat_names_its_grace_period_apart() -> None:
    config = {"expectedIntervalMinutes": 60, "gracePeriodMinutes": 10}
    every_hour = monitor(type="heartbeat", interval_seconds=4200, config=config)
    assert schedules.text(every_hour) == "every 1 h, 10 min grace"
    nightly = monitor(type="heartbeat", cron_expression="0 3 * * *", timezone="Europe/Berlin", config=config)
    assert schedules.text(nightly) == "daily at 03:00 Europe/Berlin, 10 min grace"
    assert schedules.text(monitor(type="heartbeat", config={})) == "every 5 min"
