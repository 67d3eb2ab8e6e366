"""Settings of a monitor that contradict each other: rules across fields, in one place for page and API.

What can never be met is refused. What only has no effect, or an unexpected one, is saved with a warning.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from sqlalchemy import select

from models.cron import slots
from models.tables import Location, Monitor
from web.extensions import db
from web.schemas.wire import FieldWarning

#: The answers that are followed rather than judged, if redirects are followed.
_FOLLOWED = frozenset({301, 302, 303, 307, 308})
_SLOTS_LOOKED_AT = 50
#: Each rule's settings: a monitor that breaks a rule already is refused only when one of them changes.
_HEAD = ("method", "keywordInBody", "jsonPath")
_CODES = ("expectedStatusCodes", "followRedirects")


def contradictions(config: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, str]:
    """{path: why it can never be met}; `config` is complete, `before` what it was, `{}` for a new monitor."""
    problems: dict[str, str] = {}
    if _changed(_HEAD, config, before) and config.get("method") == "HEAD":
        for name, what in (("keywordInBody", "keyword"), ("jsonPath", "JSON path")):
            if config.get(name):
                problems[f"config.{name}"] = f"The answer to HEAD has no body: remove the {what} or use GET."
    if _changed(_CODES, config, before) and _only_redirects(config):
        problems["config.expectedStatusCodes"] = (
            "Redirects are followed, so these codes are never the last answer: switch following off, or expect others."
        )
    return problems


def _changed(names: Sequence[str], config: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return not before or any(config.get(name) != before.get(name) for name in names)


def _only_redirects(config: Mapping[str, Any]) -> bool:
    from actors.probes import status_codes

    if not config.get("followRedirects"):
        return False
    codes = status_codes.parse(config["expectedStatusCodes"])
    return bool(codes & _FOLLOWED) and all(300 <= code < 400 for code in codes)


def warnings(monitor: Monitor) -> list[FieldWarning]:
    """What in the settings of `monitor`, which has been saved, has no effect or an unexpected one."""
    config = monitor.config
    found = [*_of_times(monitor), *_of_places(config)]
    if config.get("jsonPathExpected") is not None and not config.get("jsonPath"):
        found.append(FieldWarning(field="config.jsonPathExpected", message="Has no effect without a JSON path."))
    return found


def _of_times(monitor: Monitor) -> Iterator[FieldWarning]:
    config, interval = monitor.config, _interval(monitor)
    if monitor.type == "heartbeat":
        longest = config.get("maxRunMinutes")
        if longest is not None and interval is not None and longest * 60 > interval:
            text = "Longer than interval and grace period together: a missing ping is reported first."
            yield FieldWarning(field="config.maxRunMinutes", message=text)
        return
    timeout = config.get("timeoutSeconds", 0)
    if interval is not None and timeout > interval:
        text = (
            f"The timeout of {timeout} s is longer than the interval of {interval:g} s: a slow check delays the next."
        )
        yield FieldWarning(field="config.timeoutSeconds", message=text)
    slowest = config.get("maxResponseTimeMs")
    if slowest is not None and slowest >= timeout * 1000:
        text = "Not shorter than the timeout, which ends the check first."
        yield FieldWarning(field="config.maxResponseTimeMs", message=text)


def _interval(monitor: Monitor) -> float | None:
    """The shortest time between two runs in seconds; None if it cannot be told."""
    if monitor.cron_expression is None:
        return monitor.interval_seconds
    coming = islice(slots(monitor.cron_expression, monitor.timezone, datetime.now(UTC)), _SLOTS_LOOKED_AT)
    gaps: list[timedelta] = [later - earlier for earlier, later in pairwise(coming)]
    if not gaps:
        return None
    grace = monitor.config.get("gracePeriodMinutes", 0) if monitor.type == "heartbeat" else 0
    return min(gaps).total_seconds() + grace * 60


def _of_places(config: Mapping[str, Any]) -> Iterator[FieldWarning]:
    located = config.get("locationConfig") or {}
    codes = located.get("locations") or []
    if not located.get("enabled") or not codes:
        return
    enabled = select(Location.code).where(Location.code.in_(codes), Location.enabled)
    if db.session.scalars(enabled.limit(1)).first() is None:
        text = "None of these locations is enabled: the monitor is not checked until one is."
        yield FieldWarning(field="config.locationConfig.locations", message=text)


def of_request(data: Mapping[str, Any]) -> list[FieldWarning]:
    """What in the body of a request that creates a monitor does not mean what it seems to mean."""
    config = data.get("config")
    if isinstance(config, dict) and config.get("jsonPath") and config.get("jsonPathExpected", ...) is None:
        text = 'Null means no expectation: any value will do. To compare with null, send {"op": "eq", "value": null}.'
        return [FieldWarning(field="config.jsonPathExpected", message=text)]
    return []
