"""The names of the queues, and which processes consume them."""

from collections.abc import Iterable

import settings

SCHEDULER = "monitor-scheduler"
AGGREGATION = "aggregation"
ALERTS = "alerts"
DELIVERIES = "deliveries"
HEARTBEAT_PINGS = "heartbeat-ping-notification"
_EXECUTION = "monitor-execution"

#: The queues that belong to no location.
CENTRAL = (SCHEDULER, AGGREGATION, ALERTS, DELIVERIES, HEARTBEAT_PINGS)


def execution(location: str) -> str:
    """Return the queue of checks that run in `location`. Raise `ValueError` if it is not a location code."""
    if not settings.LOCATION_CODE.fullmatch(location):
        raise ValueError(f"not a location code: {location!r}")
    return f"{_EXECUTION}.{location}"


def of_process(role: str, locations: Iterable[str]) -> set[str]:
    """Return the queues that a process of `role` consumes."""
    if role == "scheduler":
        return {SCHEDULER}
    if role == "worker":
        return {AGGREGATION, ALERTS, DELIVERIES, HEARTBEAT_PINGS}
    return {execution(code) for code in locations}
