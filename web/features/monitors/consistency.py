"""Settings of a monitor that contradict each other: rules across fields, for pages and API.

Settings that can never be met are rejected. Settings without effect, or with an unexpected one, get a warning.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

import host_names
from models.rules.cron import fire_times
from models.tables import Location, Monitor
from web.api.schema import FieldWarning
from web.http.extensions import db

#: The status codes of redirects that are followed instead of checked.
_FOLLOWED = frozenset({301, 302, 303, 307, 308})
_INTERIM = frozenset(range(100, 200))
#: The status codes of responses without a body.
_BODILESS = _INTERIM | {204, 304}
_ON_BODY = (("keywordInBody", "keyword"), ("jsonPath", "JSON path"))
_ORDERED = frozenset({"gt", "gte", "lt", "lte"})
_FIRE_TIMES_CHECKED = 50


def contradictions(
    target: str, config: Mapping[str, Any], target_before: str | None, before: Mapping[str, Any]
) -> dict[str, str]:
    """Return {path: why it can never be met}. `config` is complete; `before` is the former config, `{}` for a new monitor.

    A rule is checked only if one of its settings changes, so that monitors from before the rule can still be changed.
    """

    def changed(*names: str) -> bool:
        return not before or any(config.get(name) != before.get(name) for name in names)

    problems: dict[str, str] = {}
    if changed("ipVersion") or target != target_before:
        problems |= _of_family(target, config)
    if changed("jsonPath", "jsonPathExpected"):
        problems |= _of_comparison(config)
    if not config.get("expectedStatusCodes"):
        return problems
    from actors.probes import status_codes

    codes = status_codes.parse(config["expectedStatusCodes"])
    if changed("expectedStatusCodes", "followRedirects"):
        problems |= _of_codes(config, codes)
    if changed("method", "expectedStatusCodes", "keywordInBody", "jsonPath"):
        problems |= _of_body(config, codes)
    return problems


def _of_body(config: Mapping[str, Any], codes: frozenset[int]) -> dict[str, str]:
    if config.get("method") == "HEAD":
        text = "The response to HEAD has no body: remove the {} or use GET."
    elif codes <= _BODILESS:
        text = "Responses with the expected status codes have no body: remove the {} or expect other codes."
    else:
        return {}
    return {f"config.{name}": text.format(what) for name, what in _ON_BODY if config.get(name)}


def _of_codes(config: Mapping[str, Any], codes: frozenset[int]) -> dict[str, str]:
    if codes <= _INTERIM:
        text = "Codes below 200 are never the final response: expect others."
    elif config.get("followRedirects") and codes & _FOLLOWED and all(300 <= code < 400 for code in codes):
        text = (
            "Redirects are followed, so these codes are never the final response: disable following, or expect others."
        )
    else:
        return {}
    return {"config.expectedStatusCodes": text}


def _of_comparison(config: Mapping[str, Any]) -> dict[str, str]:
    expected = config.get("jsonPathExpected")
    if not (config.get("jsonPath") and isinstance(expected, dict) and expected.keys() <= {"op", "value"}):
        return {}
    operator, value = expected.get("op"), expected.get("value")
    if operator in _ORDERED and (isinstance(value, bool) or not isinstance(value, int | float | str)):
        text = f"The value of {operator} must be a number or a string: nothing else has an order."
    elif operator == "exists" and not isinstance(expected.get("value", True), bool):
        text = "The value of exists must be true or false."
    else:
        return {}
    return {"config.jsonPathExpected": text}


def _of_family(target: str, config: Mapping[str, Any]) -> dict[str, str]:
    wanted = config.get("ipVersion")
    try:
        host = urlsplit(target).hostname or "" if "://" in target else target.strip().strip("[]")
        address = ipaddress.ip_address(host_names.bare(host))
    except ValueError:
        return {}
    if wanted in (None, "auto", str(address.version)):
        return {}
    return {"config.ipVersion": f"The target is an IPv{address.version} address: choose {address.version} or auto."}


def warnings(monitor: Monitor) -> list[FieldWarning]:
    """Return a warning for each setting of the saved `monitor` without effect, or with an unexpected one."""
    config = monitor.config
    found = [*_of_times(monitor), *_of_locations(config)]
    if config.get("jsonPathExpected") is not None and not config.get("jsonPath"):
        found.append(FieldWarning(field="config.jsonPathExpected", message="Has no effect without a JSON path."))
    if config.get("method") == "HEAD" and config.get("body"):
        found.append(FieldWarning(field="config.body", message="A HEAD request is sent without it."))
    if (config.get("auth") or {}).get("type", "none") != "none":
        found += [
            FieldWarning(field=f"config.headers.{name}", message="Not sent: the login of this monitor takes its place.")
            for name in config.get("headers") or {}
            if name.lower() == "authorization"
        ]
    return found


def _of_times(monitor: Monitor) -> Iterator[FieldWarning]:
    config, interval = monitor.config, _interval(monitor)
    if monitor.type == "heartbeat":
        longest = config.get("maxRunMinutes")
        if longest is not None and interval is not None and longest * 60 > interval:
            text = "Longer than interval and grace period together: a missing ping is reported first."
            yield FieldWarning(field="config.maxRunMinutes", message=text)
        return
    timeout, tries = config.get("timeoutSeconds", 0), 1 + config.get("retries", 0)
    if interval is not None and timeout * tries > interval:
        what = f"The timeout of {timeout} s is" if tries == 1 else f"{tries} tries of {timeout} s each are"
        text = f"{what} longer than the interval of {interval:g} s: a slow check delays the next."
        yield FieldWarning(field="config.timeoutSeconds", message=text)
    slowest = config.get("maxResponseTimeMs")
    if slowest is not None and slowest >= timeout * 1000:
        text = "Not shorter than the timeout, which ends the check first."
        yield FieldWarning(field="config.maxResponseTimeMs", message=text)


def _interval(monitor: Monitor) -> float | None:
    """Return the shortest time between two runs in seconds, or None if it is not known."""
    if monitor.cron_expression is None:
        return monitor.interval_seconds
    coming = islice(fire_times(monitor.cron_expression, monitor.timezone, datetime.now(UTC)), _FIRE_TIMES_CHECKED)
    gaps: list[timedelta] = [later - earlier for earlier, later in pairwise(coming)]
    if not gaps:
        return None
    grace = monitor.config.get("gracePeriodMinutes", 0) if monitor.type == "heartbeat" else 0
    return min(gaps).total_seconds() + grace * 60


def _of_locations(config: Mapping[str, Any]) -> Iterator[FieldWarning]:
    located = config.get("locationConfig") or {}
    codes = located.get("locations") or []
    if not located.get("enabled") or not codes:
        return
    enabled = select(Location.code).where(Location.code.in_(codes), Location.enabled)
    if db.session.scalars(enabled.limit(1)).first() is None:
        text = "None of these locations is enabled: the monitor is not checked until one is."
        yield FieldWarning(field="config.locationConfig.locations", message=text)


def of_request(data: Mapping[str, Any]) -> list[FieldWarning]:
    """Return a warning for each field in a creating request that may not mean what its author expects."""
    config = data.get("config")
    if isinstance(config, dict) and config.get("jsonPath") and config.get("jsonPathExpected", ...) is None:
        text = 'Null means no expectation: any value will do. To compare with null, send {"op": "eq", "value": null}.'
        return [FieldWarning(field="config.jsonPathExpected", message=text)]
    return []
