"""The names of the queues, and which process consumes which."""

from collections.abc import Iterable

import settings

SCHEDULER = "monitor-scheduler"
AGGREGATION = "aggregation"
ALERTS = "alerts"
DELIVERIES = "deliveries"
HEARTBEAT_PINGS = "heartbeat-ping-notification"
_EXECUTION = "monitor-execution"

#: Every queue that does not belong to a location.
CENTRAL = (SCHEDULER, AGGREGATION, ALERTS, DELIVERIES, HEARTBEAT_PINGS)


def execution(location: str) -> str:
    """The queue of checks that run in `location`. Raises `ValueError` for what is no location code."""
    if not settings.LOCATION_CODE.fullmatch(location):
        raise ValueError(f"not a location code: {location!r}")
    return f"{_EXECUTION}.{location}"


def of_process(role: str, locations: Iterable[str]) -> set[str]:
    """What a process of `role` consumes."""
    if role == "scheduler":
        return {SCHEDULER}
    if role == "worker":
        return {AGGREGATION, ALERTS, DELIVERIES, HEARTBEAT_PINGS}
    return {execution(code) for code in locations}
