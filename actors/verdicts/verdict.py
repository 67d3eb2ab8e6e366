"""The verdict of a round: what the statuses of its locations mean together. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

#: The default of `locationConfig.strategy`.
DEFAULT_STRATEGY = "majority"


def verdict_of(statuses: Sequence[str], locations: Mapping[str, Any] | None = None) -> str:
    """Return `up`, `down` or `error` from the statuses of the locations that answered.

    A status `error` is a failure of Supercheck itself and does not count. If no location measured, the verdict is `error`.
    `locations` is the monitor's `locationConfig`; its `threshold` is a percentage and applies to `custom` only.
    """
    measured = [status for status in statuses if status != "error"]
    if not measured:
        return "error"
    up = sum(status == "up" for status in measured)
    return "up" if _enough(up, len(measured), locations or {}) else "down"


def _enough(up: int, measured: int, locations: Mapping[str, Any]) -> bool:
    match locations.get("strategy", DEFAULT_STRATEGY):
        case "all":
            return up == measured
        case "any":
            return up >= 1
        case "custom":
            return up * 100 >= int(locations.get("threshold", 50)) * measured
        case _:
            # A tie is no majority.
            return up * 2 > measured
