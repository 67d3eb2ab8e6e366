"""What is counted: declared once, observed anywhere, summed over all processes and hosts in one Redis hash.

A daemon thread sends what has changed every few seconds; where nothing changed, nothing is sent. `/metrics` reads
the hash (`stored`). Lost Redis data start the counters afresh, which Prometheus understands.
"""

import json
import math
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import redis
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

import settings
from actors.runtime.periodic_thread import PeriodicThread

log = structlog.get_logger(__name__)

HASH = "supercheck:metrics"
SEND_EVERY_SECONDS = 5.0

#: Upper bounds of the buckets, in seconds.
_BOUNDS = {
    "supercheck_check_duration_seconds": (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
    "supercheck_schedule_lag_seconds": (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
}
REGISTRY = CollectorRegistry()
_CHECKS = Counter("supercheck_checks", "Checks that were made.", ["type", "location", "status"], registry=REGISTRY)
_CHECK_DURATION = Histogram(
    "supercheck_check_duration_seconds",
    "How long one check took.",
    ["type", "location"],
    registry=REGISTRY,
    buckets=_BOUNDS["supercheck_check_duration_seconds"],
)
_SCHEDULE_LAG = Histogram(
    "supercheck_schedule_lag_seconds",
    "How long after its scheduled time a check began.",
    registry=REGISTRY,
    buckets=_BOUNDS["supercheck_schedule_lag_seconds"],
)
ROUNDS_INCOMPLETE = Counter(
    "supercheck_rounds_incomplete", "Rounds decided without this location's answer.", ["location"], registry=REGISTRY
)
HEARTBEAT_PINGS = Counter("supercheck_heartbeat_pings", "Heartbeat pings that were stored.", registry=REGISTRY)
PING_BODIES_OMITTED = Counter(
    "supercheck_heartbeat_bodies_omitted", "Bodies of pings beyond what a token may store a minute.", registry=REGISTRY
)
#: `outcome` is sent, retrying or failed.
DELIVERIES = Counter(
    "supercheck_deliveries", "Attempts to deliver an alert.", ["provider", "outcome"], registry=REGISTRY
)
#: `purpose` is check, delivery, test, change or show: what stored credentials were opened for.
CREDENTIAL_USES = Counter(
    "supercheck_credential_uses", "Stored credentials that were opened.", ["purpose"], registry=REGISTRY
)
BLOCKED_TARGETS = Counter("supercheck_blocked_targets", "Targets that the target guard refused.", registry=REGISTRY)

LOOP_STALLS = Counter(
    "supercheck_standstill_seconds",
    "How long event loops of check workers were stalled during checks.",
    registry=REGISTRY,
)


# --- observing: a microsecond or two, from any thread ------------------------------------------------


@cache
def _checks(kind: str, location: str, status: str) -> Counter:
    return _CHECKS.labels(kind, location, status)


@cache
def _check_duration(kind: str, location: str) -> Histogram:
    return _CHECK_DURATION.labels(kind, location)


def check(kind: str, location: str, status: str, response_time_ms: float | None) -> None:
    """One check of monitor type `kind` ended as `status`, after `response_time_ms` where anything was measured."""
    _checks(kind, location, status).inc()
    if response_time_ms is not None:
        _check_duration(kind, location).observe(response_time_ms / 1000)


def lag(seconds: float) -> None:
    """A check began so long after its scheduled time; early ones count as punctual."""
    _SCHEDULE_LAG.observe(max(0.0, seconds))


# --- sending -----------------------------------------------------------------------------------------


class _Sender:
    """Remembers what was sent, so that only differences go out."""

    def __init__(self) -> None:
        self._sent: dict[str, float] = {}
        self._lock = threading.Lock()

    def send(self, client: "redis.Redis") -> None:
        """Add what has changed since the last call to the hash, at once or not at all. Raises `redis.RedisError`."""
        with self._lock:
            now = {_field(sample): sample.value for sample in _samples(REGISTRY.collect())}
            changed = {name: value for name, value in now.items() if value != self._sent.get(name, 0.0)}
            if not changed:
                return
            pipe = client.pipeline(transaction=True)
            for name, value in changed.items():
                pipe.hincrbyfloat(HASH, name, value - self._sent.get(name, 0.0))
            pipe.execute()
            self._sent.update(changed)


def _samples(families: Iterable[Metric]) -> Iterable[Sample]:
    """All samples but the moments of creation, which have no sum."""
    return (one for family in families for one in family.samples if not one.name.endswith("_created"))


def _field(sample: Sample) -> str:
    return json.dumps([sample.name, sample.labels], sort_keys=True, separators=(",", ":"))


_sender = _Sender()


def send(client: "redis.Redis") -> None:
    """Send what this process has counted since the last time. Raises `redis.RedisError`."""
    _sender.send(client)


_background: PeriodicThread | None = None


def start(role: str) -> None:
    """Send every few seconds from now on, until `stop` or the end of the process; `role` is the process's."""
    global _background
    if _background is not None:
        return
    client = redis.Redis.from_url(settings.get().redis_url, socket_timeout=3, socket_connect_timeout=2)

    def work(last: bool) -> None:
        try:
            send(client)
        except redis.RedisError as error:
            # Nothing is lost: the next time sends the whole difference.
            log.debug("metrics could not be sent", error=type(error).__name__)
        if last:
            client.close()

    _background = PeriodicThread(f"telemetry-{role}", SEND_EVERY_SECONDS, work)


def stop() -> None:
    """Send what has been counted since the last time, and no more afterwards."""
    global _background
    if _background is not None:
        _background.stop()
        _background = None


# --- reading -----------------------------------------------------------------------------------------


_Labels = tuple[tuple[str, str], ...]
_Found = Mapping[str, Mapping[_Labels, float]]


def stored(values: Mapping[str, str]) -> Iterator[Metric]:
    """The metric families of all processes together, from the fields of the hash.

    Fields that this version does not know are passed over; what nobody has counted yet comes empty, or as zero
    where it has no labels.
    """
    found: dict[str, dict[_Labels, float]] = {}
    for name, value in values.items():
        sample_name, labels = json.loads(name)
        found.setdefault(sample_name, {})[tuple(sorted(labels.items()))] = float(value)
    for local in REGISTRY.collect():
        total = local.name + ("_count" if local.type == "histogram" else "_total")
        unlabelled = any(one.name == total and not one.labels for one in local.samples)
        family = Metric(local.name, local.documentation, local.type)
        for labels in sorted({*found.get(total, {}), *([()] if unlabelled else [])}):
            if local.type == "histogram":
                _add_buckets(family, labels, found)
            family.add_sample(total, dict(labels), found.get(total, {}).get(labels, 0.0))
        yield family


def _add_buckets(family: Metric, labels: _Labels, found: _Found) -> None:
    """Every bucket, those that nothing fell into as well: Prometheus wants the same ones each time."""
    name = family.name + "_bucket"
    for bound in (*_BOUNDS[family.name], math.inf):
        le = floatToGoString(bound)
        count = found.get(name, {}).get(tuple(sorted((*labels, ("le", le)))), 0.0)
        family.add_sample(name, {**dict(labels), "le": le}, count)
    name = family.name + "_sum"
    family.add_sample(name, dict(labels), found.get(name, {}).get(labels, 0.0))
