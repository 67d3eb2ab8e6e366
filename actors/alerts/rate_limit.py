"""The delivery rate limiter: how many messages a minute a provider gets, counted across all workers.

One sorted set per provider in Redis holds the send times of the last minute and the times reserved for the next ones.
Times are reserved in the order of the requests, and repeating a request returns the time that it already holds.
"""

from datetime import datetime, timedelta
from uuid import UUID

import redis

from channels import CHANNELS

#: The period that the limit counts in. It is longer than a minute because the sweep may send a delivery up to two
#: seconds after its reserved time.
WINDOW_MS = 65_000

# KEYS: the provider's set. ARGV: the request's id, the limit, the window in ms. Returns the ms to wait; 0: send now.
_RESERVE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local limit, window = tonumber(ARGV[2]), tonumber(ARGV[3])
local reserved = redis.call('ZSCORE', KEYS[1], ARGV[1])
if reserved then return math.max(0, reserved - now) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local count = redis.call('ZCARD', KEYS[1])
local send_at = now
if count >= limit then
    local before = redis.call('ZRANGE', KEYS[1], count - limit, count - limit, 'WITHSCORES')
    send_at = math.max(now, before[2] + window)
end
redis.call('ZADD', KEYS[1], send_at, ARGV[1])
redis.call('PEXPIRE', KEYS[1], send_at - now + window)
return send_at - now
"""


def reserve(
    client: redis.Redis, provider_id: UUID, provider_type: str, limit: int | None, request_id: str, now: datetime
) -> datetime | None:
    """Reserve a send time for the request and return it; None if the message may be sent now.

    `limit` is the provider's own limit in messages a minute; None means the default of its type. Raise redis' errors.
    """
    per_minute = limit or CHANNELS[provider_type].messages_per_minute
    key = f"supercheck:send-times:{provider_id}"
    wait_ms = int(client.register_script(_RESERVE)(keys=[key], args=[request_id, per_minute, WINDOW_MS]))
    return now + timedelta(milliseconds=wait_ms) if wait_ms > 0 else None
