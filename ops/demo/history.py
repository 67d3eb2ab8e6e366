"""The past of a demo monitor: results of the last hour, rollups of a week and of 90 days, pings of a heartbeat."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from models.rules import histogram
from models.tables import DailyRollup, HeartbeatPing, HourlyRollup, Monitor, MonitorResult
from models.tables.base import Base

#: How much longer the second and the third location take, in milliseconds.
_DISTANCE_MS = (0, 45, 120)
_PHASES = {"dnsMs": 0.06, "connectMs": 0.18, "tlsMs": 0.27, "firstByteMs": 0.41, "downloadMs": 0.08}


@dataclass(frozen=True, slots=True)
class Past:
    """What happened to a monitor; times in milliseconds.

    `locations` are codes; a heartbeat has one empty code. `failure` are the details of the results since `down_since`.
    """

    locations: Sequence[str]
    typical_ms: float
    certificate: dict[str, Any] | None = None
    down_since: datetime | None = None
    error_code: str = ""
    error_message: str = ""
    failure: dict[str, Any] | None = None


def rows(monitor: Monitor, past: Past, now: datetime, dice: random.Random) -> Iterator[Base]:
    """Yield every row of the past of `monitor`."""
    yield from _results(monitor, past, now, dice)
    yield from _rollups(monitor, past, now, dice)
    if monitor.type == "heartbeat":
        yield from _pings(monitor, past, now, dice)


def _duration(past: Past, at: datetime, location: str, dice: random.Random) -> float:
    """Return a response time that follows the time of day and the distance of `location`."""
    distance = _DISTANCE_MS[list(past.locations).index(location) % len(_DISTANCE_MS)]
    daily = 1 + 0.25 * math.sin(at.timestamp() / 86_400 * 2 * math.pi)
    return round((past.typical_ms + distance) * daily * dice.lognormvariate(0, 0.12), 1)


def _results(monitor: Monitor, past: Past, now: datetime, dice: random.Random) -> Iterator[MonitorResult]:
    is_heartbeat = monitor.type == "heartbeat"
    step = timedelta(hours=24) if is_heartbeat else timedelta(minutes=1)
    for back in range(6 if is_heartbeat else 60):
        at = now.replace(microsecond=0) - step * back - timedelta(seconds=20)
        failed = past.down_since is not None and at >= past.down_since
        for location in past.locations:
            duration = _duration(past, at, location, dice)
            yield MonitorResult(
                id=uuid4(),
                monitor_id=monitor.id,
                scheduled_for=at,
                checked_at=at,
                location=location or None,
                status="down" if failed else "up",
                response_time_ms=duration,
                error_code=past.error_code if failed else None,
                error_message=past.error_message if failed else None,
                consecutive_failure_count=int(failed),
                details=_details(monitor, past, duration, failed=failed),
            )


def _details(monitor: Monitor, past: Past, duration: float, *, failed: bool) -> dict[str, Any]:
    if monitor.type not in ("http_request", "website"):
        return {} if monitor.type == "heartbeat" else {"resolvedIp": "203.0.113.80"}
    found: dict[str, Any] = {"resolvedIp": "203.0.113.80", "statusCode": 200}
    found["timings"] = {phase: round(duration * share, 1) for phase, share in _PHASES.items()}
    if past.certificate is not None:
        found["sslCertificate"] = past.certificate
    return found | (past.failure or {}) if failed else found


def _pings(monitor: Monitor, past: Past, now: datetime, dice: random.Random) -> Iterator[HeartbeatPing]:
    source = {"ip": "198.51.100.14", "userAgent": "curl/8.5.0", "origin": None, "method": "POST"}
    for back in range(7):
        end = now - timedelta(days=back, seconds=20)
        duration = _duration(past, end, "", dice)
        failed = back == 4
        start = {"kind": "start", "received_at": end - timedelta(milliseconds=duration)}
        values: dict[str, Any] = {"kind": "fail" if failed else "success", "received_at": end, "duration_ms": duration}
        values |= {"exit_code": 3 if failed else 0, "body": "rsync: No space left on device (28)" if failed else None}
        for ping in (start, values):
            yield HeartbeatPing(id=uuid4(), monitor_id=monitor.id, source=source, **ping)


def _rollups(monitor: Monitor, past: Past, now: datetime, dice: random.Random) -> Iterator[HourlyRollup | DailyRollup]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    checks = 1 if monitor.type == "heartbeat" else 60
    for location in past.locations:
        for back in range(24 * 7):
            at = hour - timedelta(hours=back)
            failed = dice.randint(1, 20) if dice.random() < 0.012 and checks > 1 else 0
            sums = _sums(_duration(past, at, location, dice), checks, failed, dice)
            yield HourlyRollup(monitor_id=monitor.id, hour=at, location=location, **sums)
        for back in range(90):
            day = hour - timedelta(days=back)
            failed = dice.randint(1, 90) if dice.random() < 0.05 and checks > 1 else 0
            sums = _sums(_duration(past, day, location, dice), checks * 24, failed, dice)
            yield DailyRollup(monitor_id=monitor.id, day=day.date(), location=location, **sums)


def _sums(typical: float, checks: int, failed: int, dice: random.Random) -> dict[str, Any]:
    counts = [0] * histogram.BUCKETS
    for _ in range(40):
        counts[histogram.bucket(typical * dice.lognormvariate(0, 0.2))] += 1
    return {
        "up": checks - failed,
        "down": failed,
        "response_count": checks,
        "response_sum": typical * checks,
        "response_min": typical * 0.7,
        "response_max": typical * 2.1,
        "histogram": counts,
    }
