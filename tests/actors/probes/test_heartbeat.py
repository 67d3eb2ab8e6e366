from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from actors.probes.outcome import Reason, Status
from actors.probes.target import Run

from .checking import check, check_all, target


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


def test_a_run_that_takes_too_long_is_named() -> None:
    started = datetime(2026, 3, 3, 2, 30, 5, tzinfo=UTC)
    job = target("heartbeat", "", maxRunMinutes=90)
    run = UUID(int=7)
    nameless, named = check_all([replace(job, overrun=Run(started)), replace(job, overrun=Run(started, run))])
    assert nameless.reason is Reason.HEARTBEAT_MISSED
    assert nameless.message == ("The run that started at 2026-03-03 02:30:05 UTC did not end within 1 hour 30 minutes.")
    assert named.message.startswith(f"The run {run} that started at 2026-03-03 02:30:05 UTC")
