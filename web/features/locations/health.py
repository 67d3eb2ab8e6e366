"""The present health of all locations, for the page and the API."""

from collections import Counter
from dataclasses import dataclass

import redis

from web.http.extensions import redis_client


@dataclass(frozen=True, slots=True)
class LocationHealth:
    """Per location code: live check workers, and rounds of the last hour that were decided without its result."""

    workers: Counter[str]
    unanswered: Counter[str]


def current() -> LocationHealth | None:
    """Return the health of all locations, or None if the broker does not answer."""
    from actors.runtime import process_registry
    from actors.verdicts import unanswered_rounds  # they connect at import, which only a process with settings can

    try:
        return LocationHealth(process_registry.workers_online(redis_client()), unanswered_rounds.recent(redis_client()))
    except redis.RedisError:
        return None
