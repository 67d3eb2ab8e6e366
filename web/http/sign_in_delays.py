"""Delays that grow with every wrong password.

An attempt is counted before the password is verified, atomically with the decision whether it has to wait. Of many
attempts that arrive together, only the free ones are verified. A right password undoes its own count.

There are three counters: the account from this address; the address with any account; and the account from all
addresses, with a higher limit, so that an attacker elsewhere does not lock its owner out. A browser that signed in to the
account before has its own counter, so failures of others do not delay it.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import redis
import structlog

from web.http.extensions import redis_client

log = structlog.get_logger()
_LONGEST_DELAY_S = 900
_MEMORY_S = 3600
#: The smallest network that providers assign to an IPv6 customer.
_IPV6_PREFIX = 64

#: KEYS are counters; ARGV is the free attempts of each, then the memory and the longest delay in seconds.
#: Return {seconds to wait now, seconds to wait after this attempt}. The attempt is counted only if it need not wait.
_COUNT = """
local wait = 0
for _, key in ipairs(KEYS) do
  wait = math.max(wait, redis.call('TTL', key .. ':wait'))
end
if wait > 0 then return {wait, 0} end
local memory, longest = tonumber(ARGV[#KEYS + 1]), tonumber(ARGV[#KEYS + 2])
local after = 0
for index, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  redis.call('EXPIRE', key, memory)
  local beyond = count - tonumber(ARGV[index])
  if beyond > 0 then
    local delay = math.min(longest, 2 ^ math.min(beyond - 1, 20))
    redis.call('SET', key .. ':wait', 1, 'EX', delay)
    after = math.max(after, delay)
  end
end
return {0, after}
"""
#: KEYS are the counters of an attempt. Each loses this attempt, and the delay that the attempt started.
_TAKE_BACK = """
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') > 1 then redis.call('DECR', key) else redis.call('DEL', key) end
  redis.call('DEL', key .. ':wait')
end
"""


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter of failures. A success deletes `own` counters, those of this browser or address with this account.

    From the others it only takes back the attempt that succeeded.
    """

    key: str
    free: int
    own: bool = False


@dataclass(slots=True)
class Attempt:
    """One attempt. `wait` is the seconds until it is allowed (0 if it is), `after` those until the next one."""

    counters: Sequence[Counter] = field(default_factory=tuple)
    wait: int = 0
    after: int = 0


def network_of(ip: str) -> str:
    """Return the name of `ip` in a counter: for IPv6 its network, because one customer has many addresses."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), _IPV6_PREFIX), strict=False))
    return str(address)


def of_unknown_browser(email: str, ip: str) -> list[Counter]:
    """Return the counters of a browser that has not signed in to the account before."""
    return [*of_person(email, ip), Counter(f"signin:account:{email}", 30)]


def of_person(email: str, ip: str) -> list[Counter]:
    """Return the counters of a signed-in person who has to enter the password again."""
    network = network_of(ip)
    return [Counter(f"signin:pair:{network}:{email}", 3, own=True), Counter(f"signin:address:{network}", 10)]


def of_known_browser(email: str, browser: str) -> list[Counter]:
    """Return the counters of a browser that has signed in to the account before."""
    return [Counter(f"signin:browser:{browser}:{email}", 5, own=True)]


def begin(counters: Sequence[Counter]) -> Attempt:
    """Count an attempt, unless it has to wait.

    If Redis is down, nothing is counted: people must be able to sign in to see what is wrong.
    """
    keys = [counter.key for counter in counters]
    free = [counter.free for counter in counters]
    try:
        found = cast(
            list[int], redis_client().eval(_COUNT, len(keys), *keys, *map(str, [*free, _MEMORY_S, _LONGEST_DELAY_S]))
        )
    except redis.RedisError:
        log.warning("redis_down", during="sign_in")
        return Attempt()
    return Attempt(counters, int(found[0]), int(found[1]))


def succeeded(attempt: Attempt) -> None:
    """Delete the `own` counters, and undo the count of this attempt in the others."""
    own = [counter.key for counter in attempt.counters if counter.own]
    try:
        if own:
            redis_client().delete(*own, *(f"{key}:wait" for key in own))
    except redis.RedisError:
        log.warning("redis_down", during="sign_in")
    take_back(Attempt([counter for counter in attempt.counters if not counter.own]))


def take_back(attempt: Attempt) -> None:
    """Undo the count of an attempt that was not verified, or was right."""
    keys = [counter.key for counter in attempt.counters]
    try:
        if keys:
            redis_client().eval(_TAKE_BACK, len(keys), *keys)
    except redis.RedisError:
        log.warning("redis_down", during="sign_in")
