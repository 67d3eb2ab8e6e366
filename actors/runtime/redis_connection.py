"""Broker connections with a circuit breaker: after several failures, connecting fails immediately for a second.

If the broker's host does not respond at all, each thread would otherwise wait for its whole connect timeout, one after the
other. The breaker is in `models/connections/dependencies.py`.
"""

from typing import Any

import redis

from models.connections.dependencies import BROKER

#: How long a thread waits for a pooled connection while all are in use.
POOL_WAIT_SECONDS = 5


def pooled(url: str, connections: int, **options: Any) -> redis.Redis:
    """Return a client with at most `connections` connections. A thread waits for a free one instead of failing.

    redis-py's default pool has 100 connections and raises an error if all are in use, which happens under load.
    """
    pool = redis.BlockingConnectionPool.from_url(url, max_connections=connections, timeout=POOL_WAIT_SECONDS, **options)
    return redis.Redis.from_pool(pool)


def watched(client: redis.Redis) -> redis.Redis:
    """Return `client` with the circuit breaker on its connections. Call this before its first command."""
    pool = client.connection_pool
    connection_class = pool.connection_class

    class Watched(connection_class):  # type: ignore[misc, valid-type]
        def connect(self) -> None:
            """Connect. Raise `redis.ConnectionError` immediately while the breaker is open."""
            if self.is_connected:
                return
            if BROKER.unavailable:
                raise redis.ConnectionError("the broker did not respond several times in a row")
            with BROKER.attempt():
                super().connect()

    pool.connection_class = Watched
    return client
