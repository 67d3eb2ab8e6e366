from typing import Any

import pytest

from actors.probes.outcome import Reason, Status

from .checking import check


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "every 1 hour, with a grace period of 10 minutes."),
        (
            {"expectedIntervalMinutes": 90, "gracePeriodMinutes": 1},
            "every 1 hour 30 minutes, with a grace period of 1 minute.",
        ),
        (
            {"expectedIntervalMinutes": 0.5, "gracePeriodMinutes": 0},
            "every 30 seconds, with a grace period of 0 minutes.",
        ),
        (
            {"cronExpression": "0 2 * * *", "timezone": "Europe/Berlin"},
            "on the schedule 0 2 * * * (Europe/Berlin), with",
        ),
    ],
)
def test_a_missed_ping_names_what_was_expected(config: dict[str, Any], words: str) -> None:
    outcome = check("heartbeat", "", **config)
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.HEARTBEAT_MISSED)
    assert words in outcome.message
