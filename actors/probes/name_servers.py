"""Checks whether this machine's own name servers work, when a name could not be resolved.

The query is for a random name that does not exist. No cache has it, so a response proves that the server reaches the DNS. In
a closed network, where such queries fail, other look-ups that succeed at the same time prove that the servers work.
"""

import asyncio
import secrets
import time
from enum import Enum

#: A slow server counts as working. Less than the time that the engine allows beyond the timeout of a check.
TIMEOUT_SECONDS = 3.0
#: How long a result is used for other names that fail.
FRESH_SECONDS = 1.0
#: The system's resolver uses no more than this.
_MAX_SERVERS = 3
#: The failing names are dropped when they exceed this number.
_MAX_NAMES = 10_000

Server = tuple[str, int]


class Health(Enum):
    """`WORKING`: the DNS was reached. `FAILING`: a server responds, but with a failure. `SILENT`: no server responds."""

    WORKING = "working"
    FAILING = "failing"
    SILENT = "silent"


_last_result: tuple[float, Health] | None = None
_running_query: tuple[asyncio.AbstractEventLoop, asyncio.Task[Health]] | None = None
_last_success_at = float("-inf")
_failing_since: dict[str, float] = {}


def record_success(name: str) -> None:
    """Record a successful look-up of `name`, including "no such name". Thread-safe."""
    global _last_success_at
    _failing_since.pop(name, None)
    _last_success_at = time.monotonic()


def forget() -> None:
    """Drop all results."""
    global _last_result, _last_success_at
    _last_result, _last_success_at = None, float("-inf")
    _failing_since.clear()


async def work_for_other_names(name: str) -> bool:
    """Return whether the name servers work although the look-up of `name` has just failed.

    If they respond to the test query with a failure, only a successful look-up of another name proves that they work: one
    after `name` started to fail.
    """
    if len(_failing_since) >= _MAX_NAMES:
        _failing_since.clear()
    since = _failing_since.setdefault(name, time.monotonic())
    health = await _health()
    return health is Health.WORKING or (health is Health.FAILING and _last_success_at > since)


def servers() -> list[Server]:
    """Return the addresses and ports of the system's name servers. Blocks."""
    from dns.resolver import NoResolverConfiguration, Resolver

    try:
        ips = [str(server) for server in Resolver().nameservers]
    except (NoResolverConfiguration, OSError):
        # The system's resolver uses this machine then.
        ips = ["127.0.0.1"]
    return [(ip, 53) for ip in ips[:_MAX_SERVERS]]


async def _health() -> Health:
    """Return the health of the name servers. Concurrent callers share one query."""
    global _running_query
    if _last_result is not None and time.monotonic() < _last_result[0] + FRESH_SECONDS:
        return _last_result[1]
    loop = asyncio.get_running_loop()
    if _running_query is None or _running_query[0] is not loop or _running_query[1].done():
        _running_query = (loop, loop.create_task(_ask_all()))
    return await asyncio.shield(_running_query[1])


async def _ask_all() -> Health:
    global _last_result
    # In a thread: this reads a file, and imports a library at the first call.
    asked = await asyncio.to_thread(servers)
    responses = await asyncio.gather(*(_ask(*server) for server in asked))
    health = next((state for state in Health if state in responses), Health.SILENT)
    _last_result = (time.monotonic(), health)
    return health


async def _ask(ip: str, port: int) -> Health:
    import dns.asyncquery
    from dns.exception import DNSException
    from dns.message import make_query
    from dns.rcode import NOERROR, NXDOMAIN

    question = make_query(f"supercheck-{secrets.token_hex(8)}.", "A")
    try:
        answer = await dns.asyncquery.udp(question, ip, timeout=TIMEOUT_SECONDS, port=port, raise_on_truncation=False)
    except (DNSException, OSError, EOFError):
        return Health.SILENT
    return Health.WORKING if answer.rcode() in {NOERROR, NXDOMAIN} else Health.FAILING
