"""A limit of requests per minute for each API key, counted in Redis."""

import time
from uuid import UUID

import redis
import structlog

import settings
from web.http.errors import Problem
from web.http.extensions import redis_client

log = structlog.get_logger()
_WINDOW_S = 60


def count_request(api_key_id: UUID) -> None:
    """Count one request. Raise a 429 `Problem` if it is over the limit. If Redis is down, nothing is limited."""
    limit = settings.get().api_rate_limit_per_minute
    if not limit:
        return
    now = time.time()
    key = f"supercheck:rate:{api_key_id}:{int(now // _WINDOW_S)}"
    try:
        with redis_client().pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, _WINDOW_S + 5)
            count = int(pipeline.execute()[0])
    except redis.RedisError:
        log.warning("redis_down", during="rate_limit")
        return
    if count > limit:
        wait = max(1, _WINDOW_S - int(now % _WINDOW_S))
        raise Problem(
            429, f"This API key is limited to {limit} requests per minute.", headers={"Retry-After": str(wait)}
        )
