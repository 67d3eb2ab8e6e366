"""The metrics: declared here, observed anywhere, summed over all processes and hosts in one Redis hash.

A daemon thread sends changes every few seconds. `/metrics` reads the hash (`stored`). If Redis loses its data, the counters
restart at zero, which Prometheus handles.
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
_CHECKS = Counter("supercheck_checks", "Checks that were run.", ["type", "location", "status"], registry=REGISTRY)
_CHECK_DURATION = Histogram(
    "supercheck_check_duration_seconds",
    "How long one check took.",
    ["type", "location"],
    registry=REGISTRY,
    buckets=_BOUNDS["supercheck_check_duration_seconds"],
)
_SCHEDULE_LAG = Histogram(
    "supercheck_schedule_lag_seconds",
    "How long after its fire time a check started.",
    registry=REGISTRY,
    buckets=_BOUNDS["supercheck_schedule_lag_seconds"],
)
ROUNDS_INCOMPLETE = Counter(
    "supercheck_rounds_incomplete", "Rounds decided without a result of this location.", ["location"], registry=REGISTRY
)
HEARTBEAT_PINGS = Counter("supercheck_heartbeat_pings", "Heartbeat pings that were stored.", registry=REGISTRY)
PING_BODIES_OMITTED = Counter(
    "supercheck_heartbeat_bodies_omitted",
    "Ping bodies not stored because a token exceeded its limit per minute.",
    registry=REGISTRY,
)
#: `outcome` is sent, retrying or failed.
DELIVERIES = Counter(
    "supercheck_deliveries", "Attempts to deliver an alert.", ["provider", "outcome"], registry=REGISTRY
)
#: `purpose` is check, delivery, test, change or show: why the credentials were decrypted.
CREDENTIAL_USES = Counter(
    "supercheck_credential_uses", "Stored credentials that were decrypted.", ["purpose"], registry=REGISTRY
)
BLOCKED_TARGETS = Counter("supercheck_blocked_targets", "Targets that the target guard blocked.", registry=REGISTRY)

LOOP_STALLS = Counter(
    "supercheck_standstill_seconds",
    "How long event loops of check workers were stalled during checks.",
    registry=REGISTRY,
)


# --- observing: thread-safe, a microsecond or two ------------------------------------------------


@cache
def _checks(kind: str, location: str, status: str) -> Counter:
    return _CHECKS.labels(kind, location, status)


@cache
def _check_duration(kind: str, location: str) -> Histogram:
    return _CHECK_DURATION.labels(kind, location)


def check(kind: str, location: str, status: str, response_time_ms: float | None) -> None:
    """Count one check of type `kind` that ended with `status`. `response_time_ms` is None if nothing was measured."""
    _checks(kind, location, status).inc()
    if response_time_ms is not None:
        _check_duration(kind, location).observe(response_time_ms / 1000)


def lag(seconds: float) -> None:
    """Observe how long after its fire time a check started. Negative values count as 0."""
    _SCHEDULE_LAG.observe(max(0.0, seconds))


# --- sending -----------------------------------------------------------------------------------------


class _Sender:
    """Sends only the changes since the last call."""

    def __init__(self) -> None:
        self._sent: dict[str, float] = {}
        self._lock = threading.Lock()

    def send(self, client: "redis.Redis") -> None:
        """Add all changes since the last call to the hash, in one transaction. Raise `redis.RedisError`."""
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
    """Return all samples except creation times, which cannot be summed."""
    return (sample for family in families for sample in family.samples if not sample.name.endswith("_created"))


def _field(sample: Sample) -> str:
    return json.dumps([sample.name, sample.labels], sort_keys=True, separators=(",", ":"))


_sender = _Sender()


def send(client: "redis.Redis") -> None:
    """Send what this process has counted since the last call. Raise `redis.RedisError`."""
    _sender.send(client)


_background: PeriodicThread | None = None


def start(role: str) -> None:
    """Send every few seconds until `stop` or the end of the process. `role` is the role of this process."""
    global _background
    if _background is not None:
        return
    client = redis.Redis.from_url(settings.get().redis_url, socket_timeout=3, socket_connect_timeout=2)

    def work(last: bool) -> None:
        try:
            send(client)
        except redis.RedisError as error:
            # Nothing is lost: the next call sends the whole difference.
            log.debug("metrics could not be sent", error=type(error).__name__)
        if last:
            client.close()

    _background = PeriodicThread(f"telemetry-{role}", SEND_EVERY_SECONDS, work)


def stop() -> None:
    """Send the last changes, then stop sending."""
    global _background
    if _background is not None:
        _background.stop()
        _background = None


# --- reading -----------------------------------------------------------------------------------------


_Labels = tuple[tuple[str, str], ...]
_Stored = Mapping[str, Mapping[_Labels, float]]


def stored(values: Mapping[str, str]) -> Iterator[Metric]:
    """Yield the metric families summed over all processes, from the fields of the hash.

    Unknown fields are ignored. A metric without a value is empty, or zero if it has no labels.
    """
    samples: dict[str, dict[_Labels, float]] = {}
    for name, value in values.items():
        sample_name, labels = json.loads(name)
        samples.setdefault(sample_name, {})[tuple(sorted(labels.items()))] = float(value)
    for local in REGISTRY.collect():
        total = local.name + ("_count" if local.type == "histogram" else "_total")
        unlabelled = any(sample.name == total and not sample.labels for sample in local.samples)
        family = Metric(local.name, local.documentation, local.type)
        for labels in sorted({*samples.get(total, {}), *([()] if unlabelled else [])}):
            if local.type == "histogram":
                _add_buckets(family, labels, samples)
            family.add_sample(total, dict(labels), samples.get(total, {}).get(labels, 0.0))
        yield family


def _add_buckets(family: Metric, labels: _Labels, samples: _Stored) -> None:
    """Add all buckets, including empty ones: Prometheus requires the same buckets in each scrape."""
    name = family.name + "_bucket"
    for bound in (*_BOUNDS[family.name], math.inf):
        le = floatToGoString(bound)
        count = samples.get(name, {}).get(tuple(sorted((*labels, ("le", le)))), 0.0)
        family.add_sample(name, {**dict(labels), "le": le}, count)
    name = family.name + "_sum"
    family.add_sample(name, dict(labels), samples.get(name, {}).get(labels, 0.0))
