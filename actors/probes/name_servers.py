"""Whether this machine's own name servers work: asked when a name could not be resolved, to learn whose fault that is.

The question is for a name that nobody has: a server cannot answer it from its cache, so its answer proves that it
reaches the DNS. Domains without such a name, in a closed network, are told apart by look-ups that succeed meanwhile.
"""

import asyncio
import secrets
import time
from enum import Enum

#: A slow server is one that works. Less than what the engine grants a check beyond its timeout.
TIMEOUT_SECONDS = 3.0
#: An answer holds for names that fail within this time after it.
FRESH_SECONDS = 1.0
#: The system's resolver asks no more than this.
_MOST_SERVERS = 3
#: More failing names than this and the memory starts over.
_MOST_NAMES = 10_000

Server = tuple[str, int]


class Health(Enum):
    """`WORKING`: the DNS was reached. `FAILING`: a server answers, but with a failure. `SILENT`: no server answers."""

    WORKING = "working"
    FAILING = "failing"
    SILENT = "silent"


_found: tuple[float, Health] | None = None
_under_way: tuple[asyncio.AbstractEventLoop, asyncio.Task[Health]] | None = None
_answered_at = float("-inf")
_failing_since: dict[str, float] = {}


def answered(name: str) -> None:
    """Note that the look-up of `name` was answered, be it with "no such name". May be called from any thread."""
    global _answered_at
    _failing_since.pop(name, None)
    _answered_at = time.monotonic()


def forget() -> None:
    """Forget every answer and failure."""
    global _found, _answered_at
    _found, _answered_at = None, float("-inf")
    _failing_since.clear()


async def work_apart_from(name: str) -> bool:
    """Return whether the name servers work although the look-up of `name` has just failed.

    Where they answer every question with a failure, only the answer to another name proves that they work: one that
    came after `name` began to fail.
    """
    if len(_failing_since) >= _MOST_NAMES:
        _failing_since.clear()
    since = _failing_since.setdefault(name, time.monotonic())
    health = await _health()
    return health is Health.WORKING or (health is Health.FAILING and _answered_at > since)


def servers() -> list[Server]:
    """Return the addresses and ports of the system's name servers; blocking."""
    from dns.resolver import NoResolverConfiguration, Resolver

    try:
        found = [str(one) for one in Resolver().nameservers]
    except (NoResolverConfiguration, OSError):
        # The system's resolver asks this machine then.
        found = ["127.0.0.1"]
    return [(ip, 53) for ip in found[:_MOST_SERVERS]]


async def _health() -> Health:
    """Return how the name servers are, asked together with whoever else wants to know."""
    global _under_way
    if _found is not None and time.monotonic() < _found[0] + FRESH_SECONDS:
        return _found[1]
    loop = asyncio.get_running_loop()
    if _under_way is None or _under_way[0] is not loop or _under_way[1].done():
        _under_way = (loop, loop.create_task(_ask_all()))
    return await asyncio.shield(_under_way[1])


async def _ask_all() -> Health:
    global _found
    # On a thread: it reads a file, and loads a library at the first time.
    asked = await asyncio.to_thread(servers)
    answers = await asyncio.gather(*(_ask(*server) for server in asked))
    health = next((one for one in Health if one in answers), Health.SILENT)
    _found = (time.monotonic(), health)
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
