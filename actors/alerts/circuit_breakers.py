"""Leaves a notification service alone for a moment after it failed slowly several times in a row.

While a service hangs, every delivery to it would hold a worker's thread until its timeout, and those to other
services would wait behind them. One that fails at once holds nobody up, and is tried again as early as ever.
Only services that we call are treated so; a target is checked on time, however it fails.
Each process judges for itself, a service by its address and port: what one user's odd port does is no other's loss.
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
from notifications.notice import NotificationError

log = structlog.get_logger(__name__)

FAILURES = 5
#: A failure that took less time counts for nothing.
SLOW_SECONDS = 1.0
#: Short: a message about an outage is worth little when it is late.
PAUSE_SECONDS = 3
MOST_SERVICES = 1000
_PAUSED = "The service failed several times in a row, so it is left alone for a moment; this message follows."

_known: OrderedDict[str, CircuitBreaker] = OrderedDict()
_adding = Lock()


class Spared(NotificationError):
    """The service was not called at all; `retry_after` tells how long it is left alone."""

    def __init__(self, seconds: float) -> None:
        super().__init__(_PAUSED, permanent=False, retry_after=max(seconds, 0.0), outage=False)


class _Quick(Exception):
    """Carries a failure that cost no time past the breaker."""


@contextmanager
def around(provider_type: str, config: Mapping[str, Any]) -> Iterator[None]:
    """Call the provider's service inside. Raises `Spared` at once while it is left alone."""
    breaker = _breaker(_service(provider_type, config))
    if breaker.opened:
        raise Spared(float(breaker.open_remaining))
    began = time.monotonic()
    try:
        with breaker:
            try:
                yield
            except NotificationError as failure:
                if time.monotonic() - began < SLOW_SECONDS:
                    raise _Quick from failure
                raise
    except _Quick as quick:
        assert isinstance(quick.__cause__, NotificationError)
        raise quick.__cause__ from None
    # What it raised counts only where the service was away: one that says no is there.


def forget() -> None:
    """Treat every service as if it had never failed."""
    _known.clear()


def _is_outage(_kind: type[BaseException], error: BaseException) -> bool:
    return isinstance(error, NotificationError) and error.outage


def _breaker(service: str) -> CircuitBreaker:
    with _adding:
        found = _known.get(service)
        if found is None:
            if len(_known) >= MOST_SERVICES:
                _known.popitem(last=False)
            found = _known[service] = CircuitBreaker(FAILURES, PAUSE_SECONDS, _is_outage)
        else:
            _known.move_to_end(service)
        return found


def _service(provider_type: str, config: Mapping[str, Any]) -> str:
    """What tells one service from another; stays in memory, for it may hold a secret (an Apprise URL's host)."""
    if provider_type == "email":
        own = settings.get()
        host = config.get("smtpHost") or own.smtp_host
        return f"smtp://{host}:{config.get('smtpPort') or own.smtp_port}"
    if provider_type == "telegram":
        return _origin(str(config.get("apiBase") or "telegram:"))
    if provider_type == "apprise":
        return str(config.get("url"))
    return _origin(str(config.get("webhookUrl") or config.get("url") or ""))


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port}"
    except ValueError:
        return url
