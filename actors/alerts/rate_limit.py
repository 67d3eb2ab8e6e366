"""How many messages a minute a provider is sent, counted across all workers; what is too much waits for its turn.

One sorted set a provider in Redis holds the turns of the last minute and those given out for the next ones, so turns
come in the order in which they were asked for, and nobody asks twice.
"""

from datetime import datetime, timedelta
from uuid import UUID

import redis

#: Provider type -> messages a minute where the provider itself says nothing: what its service bears.
PER_MINUTE = {
    "email": 60,
    "slack": 60,
    "webhook": 3000,
    "telegram": 20,
    "discord": 30,
    "teams": 60,
    "apprise": 60,
}
#: What the limit counts in. A little over a minute: the sweep finds a turn up to two seconds after its time.
WINDOW_MS = 65_000

# KEYS: the provider's set. ARGV: who asks, the limit, the window in ms. Answers the ms to wait; 0: now.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local limit, window = tonumber(ARGV[2]), tonumber(ARGV[3])
local mine = redis.call('ZSCORE', KEYS[1], ARGV[1])
if mine then return math.max(0, mine - now) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local taken = redis.call('ZCARD', KEYS[1])
local at = now
if taken >= limit then
    local before = redis.call('ZRANGE', KEYS[1], taken - limit, taken - limit, 'WITHSCORES')
    at = math.max(now, before[2] + window)
end
redis.call('ZADD', KEYS[1], at, ARGV[1])
redis.call('PEXPIRE', KEYS[1], at - now + window)
return at - now
"""


def take(
    client: redis.Redis, provider_id: UUID, provider_type: str, most: int | None, asker: str, now: datetime
) -> datetime | None:
    """The turn of `asker`: None where it may go at once, else when. Asking again answers the same turn.

    `most` is the provider's own limit. Raises redis' errors.
    """
    limit = most or PER_MINUTE[provider_type]
    key = f"supercheck:turns:{provider_id}"
    wait = int(client.register_script(_TAKE)(keys=[key], args=[asker, limit, WINDOW_MS]))
    return now + timedelta(milliseconds=wait) if wait > 0 else None
