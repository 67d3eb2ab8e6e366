"""`/metrics` for Prometheus: what all processes counted, and how full and how staffed the queues are now."""

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

#: A request with one of these came through a proxy: its address says nothing about who asks.
_FORWARDING = ("Forwarded", "Via", "X-Real-IP")
_FORWARDING_PREFIX = "x-forwarded-"


@metrics.get("/metrics")
def scrape() -> Response:
    """All metrics, as text. Raises a 401 or 403 `Problem`, and a 503 where Redis is away."""
    _admit()
    return Response(generate_latest(_Installation()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _admit() -> None:
    """Let in who has the token, or, where none is set, who asks from this very machine."""
    token = settings.get().metrics_token
    if token:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise Problem(
                401,
                "The metrics need the bearer token of METRICS_TOKEN.",
                guidance="Send it as 'Authorization: Bearer <token>'.",
                headers={"WWW-Authenticate": "Bearer"},
            )
    elif _forwarded() or not _is_loopback(request.remote_addr or ""):
        raise Problem(
            403,
            "The metrics are for this machine only.",
            guidance="An operator may set METRICS_TOKEN, and scrape with it as a bearer token from anywhere.",
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
    """Give `app` its metrics."""
    app.register_blueprint(metrics)


class _Installation:
    """A collector in Prometheus' sense: counted by all processes, measured now."""

    def collect(self) -> Iterator[Metric]:
        """Raises `redis.RedisError`."""
        from actors.runtime import (  # they connect at import, which only a process with settings can
            process_registry,
            telemetry,
        )
        from web.live import queue_stats

        yield from _providers()
        client = redis_client()
        telemetry.send(client)  # of this process, so that a scrape sees what it just did
        yield from telemetry.stored(cast(dict[str, str], client.hgetall(telemetry.HASH)))
        depth = GaugeMetricFamily("supercheck_queue_depth", "Messages that wait.", labels=["queue"])
        dead = GaugeMetricFamily("supercheck_dead_letters", "Messages given up on.", labels=["queue"])
        for figures in queue_stats.measure(client):
            depth.add_metric([figures["queue"]], figures["depth"])
            dead.add_metric([figures["queue"]], figures["dead"])
        online = GaugeMetricFamily("supercheck_workers_online", "Live check workers.", labels=["location"])
        workers = process_registry.workers_online(client)
        for code in process_registry.known_locations(client):
            online.add_metric([code], workers[code])
        yield from (depth, dead, online, _breakers(process_registry.processes(client)))


def _providers() -> Iterator[Metric]:
    """Whether each channel in use took its last message; nothing while the database is away: the rest is told all the same."""
    healthy = GaugeMetricFamily(
        "supercheck_provider_healthy",
        "1 where the provider took its last message or has had none, 0 where it failed.",
        labels=["provider_id", "type"],
    )
    try:
        for one in db.session.scalars(select(NotificationProvider).where(NotificationProvider.enabled)):
            well = provider_health.status_of(one) in ("ok", "unknown")
            healthy.add_metric([str(one.id), one.type], int(well))
    except SQLAlchemyError as error:
        log.warning("providers could not be read", error=type(error).__name__)
        return
    yield healthy


def _breakers(processes: "Sequence[Process]") -> Metric:
    found = GaugeMetricFamily(
        "supercheck_breaker_open", "Processes that find this server of ours away.", labels=["dependency"]
    )
    for one in dependencies.ALL:
        found.add_metric([one.name], sum(one.name in process.away for process in processes))
    return found
