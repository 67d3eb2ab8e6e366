"""Connections to the broker that stop trying for a second after several failures (`models/connections/dependencies.py`).

Where the broker's host is gone without a word, every thread would otherwise spend its whole connect timeout, one after
the other, before it learns what its neighbours know.
"""

from typing import Any

import redis

from models.connections.dependencies import BROKER

#: How long a thread waits for a connection of the pool while others use all of them.
POOL_WAIT_SECONDS = 5


def pooled(url: str, connections: int, **options: Any) -> redis.Redis:
    """A client with at most `connections` connections. A thread waits for one instead of failing at once.

    redis-py's default pool has 100 and raises an error at the next one, at the worst time: when there is much to do.
    """
    pool = redis.BlockingConnectionPool.from_url(url, max_connections=connections, timeout=POOL_WAIT_SECONDS, **options)
    return redis.Redis.from_pool(pool)


def watched(client: redis.Redis) -> redis.Redis:
    """`client`, whose connections judge the broker from now on; to be called before its first command."""
    pool = client.connection_pool
    kind = pool.connection_class

    class Watched(kind):  # type: ignore[misc, valid-type]
        def connect(self) -> None:
            """Raises `redis.ConnectionError` at once while the broker counts as away."""
            if self.is_connected:
                return
            if BROKER.unavailable:
                raise redis.ConnectionError("the broker did not answer several times in a row")
            with BROKER.attempt():
                super().connect()

    pool.connection_class = Watched
    return client
