"""Heartbeats: the probe runs only if no ping arrived in time."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Run, Target
from actors.probes.wording import plain

#: A ping that arrived at the last moment may not be in the database yet. It would end the round.
_PENDING_PING_SECONDS = 0.3


async def probe(target: Target) -> Outcome:
    """Return "missed". A ping moves the monitor's deadline, so the probe runs only if none arrived."""
    await asyncio.sleep(_PENDING_PING_SECONDS)
    message = _missed(target.config) if target.overrun is None else _overran(target.config, target.overrun)
    return Outcome(Status.DOWN, reason=Reason.HEARTBEAT_MISSED, message=message)


def _missed(config: Mapping[str, Any]) -> str:
    grace = _duration(float(config["gracePeriodMinutes"]))
    if cron := config.get("cronExpression"):
        expected = f"on the schedule {plain(str(cron), 100)} ({plain(str(config['timezone']), 64)})"
    else:
        expected = f"every {_duration(float(config['expectedIntervalMinutes']))}"
    return f"No ping arrived in time: one is expected {expected}, with a grace period of {grace}."


def _overran(config: Mapping[str, Any], run: Run) -> str:
    which = f"The run {run.id}" if run.id else "The run"
    longest = _duration(float(config.get("maxRunMinutes") or 0))
    return f"{which} that started at {run.started_at:%Y-%m-%d %H:%M:%S} UTC did not end within {longest}."


def _duration(minutes: float) -> str:
    """Return `minutes` as text, such as `1 hour 30 minutes`."""
    left = timedelta(seconds=round(minutes * 60))
    parts = []
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, rest = divmod(left, timedelta(seconds=size))
        left = rest
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts) or "0 minutes"
