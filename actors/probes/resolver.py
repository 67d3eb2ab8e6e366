"""From a host name to addresses, for every probe.

Lookups block, and a dead name server blocks them for many seconds. libcurl's own resolver has twenty threads and uses
two for each name: ten dead names would make every other name look dead too. Here there are many more, one for each
name that is being looked up, and a lookup that found no thread is our error, not the target's.
"""

import asyncio
import ipaddress
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from functools import cache, lru_cache, partial
from uuid import UUID

import guard
import settings
from actors.fair_share import FairShare
from actors.probes import socket_failure
from actors.probes.invalid_config import InvalidConfig
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.wording import plain, seconds

_CACHE_SIZE = 10_000
_THREADS = 256
# The resolver itself failed: it has no memory, no descriptor, no file to read.
_OUR_LOOKUP_ERRORS = frozenset({socket.EAI_MEMORY, socket.EAI_SYSTEM, socket.EAI_FAMILY})
_FAMILIES = {"auto": socket.AF_UNSPEC, "4": socket.AF_INET, "6": socket.AF_INET6}
_KINDS = {socket.AF_INET: " to an IPv4 address", socket.AF_INET6: " to an IPv6 address"}

Addresses = tuple[str, ...]
Question = tuple[str, socket.AddressFamily]

_cache: dict[Question, tuple[float, Addresses]] = {}
_under_way: dict[Question, Future[Addresses]] = {}


#: For whom names are being looked up: projects share the threads.
asking_project: ContextVar[UUID | None] = ContextVar("asking_project", default=None)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="resolve")


@cache
def _shares() -> FairShare:
    return FairShare(_THREADS)


async def find_all(host: str, ip_version: str, timeout: float) -> Addresses | Outcome:
    """The addresses of `host` that the guard lets pass, at least one; otherwise the outcome that says why there is none.

    `ip_version` is `auto`, `4` or `6`; `timeout` is in seconds. They stand in the system's order of preference.
    """
    found = await addresses(host, ip_version, timeout)
    if isinstance(found, Outcome):
        return found
    refusal, passed = "", []
    for ip in found:
        try:
            guard.judge(ip, _ascii(host))
        except guard.BlockedTarget as error:
            refusal = str(error)
        else:
            passed.append(ip)
    return tuple(passed) or Outcome(Status.ERROR, reason=Reason.BLOCKED_TARGET, message=plain(refusal))


async def addresses(host: str, ip_version: str, timeout: float) -> Addresses | Outcome:
    """All addresses of `host`, at least one, not yet judged; otherwise the outcome that says why there is none."""
    family = _FAMILIES.get(ip_version, socket.AF_UNSPEC)
    try:
        name = _ascii(host)
        if is_literal(name) and family in {socket.AF_UNSPEC, family_of(name)}:
            return (str(ipaddress.ip_address(name)),)
        known = _cache.get((name, family))
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        return await _look_up((name, family), timeout)
    except InvalidConfig as error:
        return error.outcome()
    except TimeoutError:
        return _unresolved(f"The name {plain(host, 100)} could not be resolved within {seconds(timeout)}.")
    except socket.gaierror as error:
        if error.errno in _OUR_LOOKUP_ERRORS:
            return socket_failure.ours(error.strerror or "names cannot be resolved")
        if error.errno == socket.EAI_AGAIN and socket_failure.is_cut_off():
            return socket_failure.ours("no name server can be reached, for this machine has no way to any network")
        return _unresolved(f"The name {plain(host, 100)} could not be resolved{_KINDS.get(family, '')}.")
    except UnicodeError:
        return _unresolved(f"The name {plain(host, 100)} could not be resolved{_KINDS.get(family, '')}.")
    except OSError as error:
        # No descriptor left for the resolver's own socket, and the like.
        return socket_failure.ours(error.strerror or "names cannot be resolved")


@lru_cache(maxsize=4096)
def is_literal(host: str) -> bool:
    """Whether `host` is an IP address already."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def family_of(ip: str) -> socket.AddressFamily:
    """The socket family of a literal address."""
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


def doubt(host: str) -> None:
    """Forget what `host` stands for: whoever looks next at a target that failed looks for where it is now."""
    with suppress(InvalidConfig, UnicodeError):
        for family in _FAMILIES.values():
            _cache.pop((_ascii(host), family), None)


def forget() -> None:
    """Empty the cache: the next check of each name looks it up again."""
    _cache.clear()


@lru_cache(maxsize=4096)
def _ascii(host: str) -> str:
    """`host` as resolvers and the guard know it: no brackets, no final dot, no letters beyond ASCII."""
    name = host.strip()
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    name = name.rstrip(".")
    if not name or any(letter in name for letter in "/@ \\") or not name.isprintable():
        raise InvalidConfig("The target must be a host name or an IP address.")
    name = name.lower()
    return name if name.isascii() else name.encode("idna").decode("ascii")


async def _look_up(question: Question, timeout: float) -> Addresses | Outcome:
    """Ask the system, together with whoever is asking the same. Raises `TimeoutError`, `OSError`, `UnicodeError`."""
    lookup = _under_way.get(question)
    if lookup is None:
        lookup = _under_way[question] = Future()
        lookup.add_done_callback(lambda _: _under_way.pop(question, None))
        project = asking_project.get()
        _shares().enter(project, partial(_start, lookup, question, project))
    loop = asyncio.get_running_loop()
    answered = asyncio.Event()

    def wake(_: Future[Addresses]) -> None:
        # A loop that has closed meanwhile has nobody left to wake.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(answered.set)

    lookup.add_done_callback(wake)
    try:
        async with asyncio.timeout(timeout):
            await answered.wait()
    except TimeoutError:
        if not lookup.running() and not lookup.done():
            return socket_failure.ours("too many names are being looked up at once")
        raise
    return lookup.result()


def _start(lookup: Future[Addresses], question: Question, project: UUID | None) -> None:
    """Look up in a thread, and give the project's place back when the system has answered."""

    def run() -> None:
        lookup.set_running_or_notify_cancel()
        try:
            found = _ask(question)
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            lookup.set_exception(error)
        else:
            lookup.set_result(found)
        finally:
            _shares().leave(project)

    _threads().submit(run)


def _ask(question: Question) -> Addresses:
    name, family = question
    found = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
    # In the order of preference that the system gives, without doubles.
    result = tuple(dict.fromkeys(str(address[0]) for *_, address in found))
    if len(_cache) >= _CACHE_SIZE:
        _cache.clear()
    # The system's resolver tells no lifetime: an address is believed this long.
    _cache[question] = (time.monotonic() + settings.get().dns_cache_seconds, result)
    return result


def _unresolved(message: str) -> Outcome:
    return Outcome(Status.DOWN, reason=Reason.DNS_FAILURE, message=message)
