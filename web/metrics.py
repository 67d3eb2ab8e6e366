"""`/metrics` for Prometheus: the counters of all processes, the queues, the workers and the providers."""

import hmac
import ipaddress
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

import structlog
from flask import Blueprint, Flask, Response, request
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

import settings
from models.connections import dependencies
from models.tables import NotificationProvider
from web.features.notification_providers import health as provider_health
from web.http.errors import Problem
from web.http.extensions import db, redis_client

log = structlog.get_logger(__name__)

if TYPE_CHECKING:
    from actors.runtime.process_registry import Process

metrics = Blueprint("metrics", __name__)

#: A request with one of these headers came through a proxy, so its address is not that of the client.
_FORWARDING = ("Forwarded", "Via", "X-Real-IP")
_FORWARDING_PREFIX = "x-forwarded-"


@metrics.get("/metrics")
def scrape() -> Response:
    """Return all metrics as text. Raise a 401 or 403 `Problem`; the response is 503 if Redis does not answer."""
    _authorize()
    return Response(generate_latest(_Installation()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _authorize() -> None:
    """Raise a `Problem` unless the client has the token or, if no token is set, is on this machine."""
    token = settings.get().metrics_token
    if token:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise Problem(
                401,
                "The metrics require the bearer token of METRICS_TOKEN.",
                guidance="Send it as 'Authorization: Bearer <token>'.",
                headers={"WWW-Authenticate": "Bearer"},
            )
    elif _forwarded() or not _is_loopback(request.remote_addr or ""):
        raise Problem(
            403,
            "The metrics are available on this machine only.",
            guidance="To scrape from elsewhere, the operator sets METRICS_TOKEN and the scraper sends it as a bearer token.",
        )


def _forwarded() -> bool:
    names = {name.lower() for name, _ in request.headers}
    return any(name.lower() in names for name in _FORWARDING) or any(
        name.startswith(_FORWARDING_PREFIX) for name in names
    )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def init_app(app: Flask) -> None:
    """Add the metrics route to `app`."""
    app.register_blueprint(metrics)


class _Installation:
    """A Prometheus collector: the counters of all processes, and gauges that are measured now."""

    def collect(self) -> Iterator[Metric]:
        """Yield every metric. Raise `redis.RedisError` if Redis does not answer."""
        from actors.runtime import (  # they connect at import, which only a process with settings can
            process_registry,
            telemetry,
        )
        from web.live import queue_stats

        yield from _providers()
        client = redis_client()
        telemetry.send(client)  # so that a scrape includes the latest counts of this process
        yield from telemetry.stored(cast(dict[str, str], client.hgetall(telemetry.HASH)))
        depth = GaugeMetricFamily("supercheck_queue_depth", "Messages that wait.", labels=["queue"])
        dead = GaugeMetricFamily("supercheck_dead_letters", "Messages given up on.", labels=["queue"])
        for queue in queue_stats.measure(client):
            depth.add_metric([queue["queue"]], queue["depth"])
            dead.add_metric([queue["queue"]], queue["dead"])
        online = GaugeMetricFamily("supercheck_workers_online", "Live check workers.", labels=["location"])
        workers = process_registry.workers_online(client)
        for code in process_registry.known_locations(client):
            online.add_metric([code], workers[code])
        yield from (depth, dead, online, _breakers(process_registry.processes(client)))


def _providers() -> Iterator[Metric]:
    """Yield whether each enabled provider accepted its last message.

    Yield nothing if the database does not answer, so that the other metrics are still available.
    """
    healthy = GaugeMetricFamily(
        "supercheck_provider_healthy",
        "1 if the provider accepted its last message or has had none, 0 if it failed.",
        labels=["provider_id", "type"],
    )
    try:
        for provider in db.session.scalars(select(NotificationProvider).where(NotificationProvider.enabled)):
            is_healthy = provider_health.status_of(provider) in ("ok", "unknown")
            healthy.add_metric([str(provider.id), provider.type], int(is_healthy))
    except SQLAlchemyError as error:
        log.warning("providers could not be read", error=type(error).__name__)
        return
    yield healthy


def _breakers(processes: "Sequence[Process]") -> Metric:
    breakers = GaugeMetricFamily(
        "supercheck_breaker_open", "Processes that cannot reach this server.", labels=["dependency"]
    )
    for dependency in dependencies.ALL:
        breakers.add_metric([dependency.name], sum(dependency.name in process.away for process in processes))
    return breakers
