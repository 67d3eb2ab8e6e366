"""Circuit breakers: pause deliveries to a notification service after several slow failures in a row.

A delivery to a service that hangs holds a worker's thread until it times out, and deliveries to other services wait for
a thread. A service that fails fast holds no thread, so its circuit stays closed.
Each process keeps its own breakers, one per host and port. Checks of targets have no breakers: they run on time.
"""

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import structlog
from circuitbreaker import CircuitBreaker

import settings
from channels import CHANNELS
from notifications.notice import NotificationError

log = structlog.get_logger(__name__)

#: Slow failures in a row that open the circuit.
FAILURES = 5
#: A failure that took less time does not count.
SLOW_SECONDS = 1.0
#: How long the circuit stays open. Short, because a late alert is worth little.
OPEN_SECONDS = 3
MAX_SERVICES = 1000
_OPEN = "Paused for a few seconds: the service failed several times in a row. The message is sent after the pause."

_breakers: OrderedDict[str, CircuitBreaker] = OrderedDict()
_changing = Lock()


class CircuitOpen(NotificationError):
    """The service was not called because its circuit is open for another `retry_after` seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(_OPEN, permanent=False, retry_after=max(seconds, 0.0), outage=False)


class _FastFailure(Exception):
    """Wraps a fast failure, so that the breaker does not count it."""


@contextmanager
def guard(provider_type: str, config: Mapping[str, Any]) -> Iterator[None]:
    """Run a call to the provider's service. Raise `CircuitOpen` without running it if the circuit is open."""
    breaker = _breaker(_service(provider_type, config))
    if breaker.opened:
        raise CircuitOpen(float(breaker.open_remaining))
    began = time.monotonic()
    try:
        with breaker:
            try:
                yield
            except NotificationError as failure:
                if time.monotonic() - began < SLOW_SECONDS:
                    raise _FastFailure from failure
                raise
    except _FastFailure as wrapper:
        assert isinstance(wrapper.__cause__, NotificationError)
        raise wrapper.__cause__ from None


def reset() -> None:
    """Close every circuit and forget all failures."""
    _breakers.clear()


def _is_outage(_kind: type[BaseException], error: BaseException) -> bool:
    """Return whether the failure counts: a service that refuses one message is not down."""
    return isinstance(error, NotificationError) and error.outage


def _breaker(service: str) -> CircuitBreaker:
    with _changing:
        breaker = _breakers.get(service)
        if breaker is None:
            if len(_breakers) >= MAX_SERVICES:
                _breakers.popitem(last=False)
            breaker = _breakers[service] = CircuitBreaker(FAILURES, OPEN_SECONDS, _is_outage)
        else:
            _breakers.move_to_end(service)
        return breaker


def _service(provider_type: str, config: Mapping[str, Any]) -> str:
    """Return the key of the service's breaker. It may hold a secret and must not be logged."""
    channel = CHANNELS[provider_type]
    if channel.url_field is None:
        defaults = settings.get()
        host = config.get("smtpHost") or defaults.smtp_host
        return f"smtp://{host}:{config.get('smtpPort') or defaults.smtp_port}"
    url = str(config.get(channel.url_field) or channel.default_url)
    return url if channel.is_host_secret else _origin(url)


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port}"
    except ValueError:
        return url
