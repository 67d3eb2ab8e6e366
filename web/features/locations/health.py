"""How the locations stand at this moment, for the page and the API."""

from collections import Counter
from dataclasses import dataclass

import redis

from web.http.extensions import redis_client


@dataclass(frozen=True, slots=True)
class Standing:
    """Location code -> live check workers, and -> rounds of the last hour that were decided without its answer."""

    workers: Counter[str]
    unanswered: Counter[str]


def standing() -> Standing | None:
    """What the broker knows; None where it is away."""
    from actors.runtime import process_registry
    from actors.verdicts import unanswered_rounds  # they connect at import, which only a process with settings can

    try:
        return Standing(process_registry.workers_online(redis_client()), unanswered_rounds.recent(redis_client()))
    except redis.RedisError:
        return None
