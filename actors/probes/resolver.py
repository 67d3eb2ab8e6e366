"""Resolves host names to addresses, for all probes.

Look-ups block, and a dead name server blocks them for many seconds. libcurl's own resolver has twenty threads and uses two
per name, so ten dead names would make all others fail. Here there are many more threads, one per name, and a look-up that
gets no thread is an error of the worker, not of the target.
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
import host_names
import settings
from actors.probes import name_servers, socket_failure, worker_fault
from actors.probes.invalid_config import InvalidConfig
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.wording import plain, seconds
from actors.probes.worker_fault import WorkerFault
from actors.runtime.fair_semaphore import FairSemaphore

_CACHE_SIZE = 10_000
_THREADS = 256
# The resolver itself failed: no memory, no descriptor, or no file to read.
_OUR_LOOKUP_ERRORS = frozenset({socket.EAI_MEMORY, socket.EAI_SYSTEM, socket.EAI_FAMILY})
# The name servers did not respond, or their response says nothing about the name.
_UNANSWERED = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL})
_FAULTS = {socket.EAI_MEMORY: WorkerFault.MEMORY}
_FAMILIES = {"auto": socket.AF_UNSPEC, "4": socket.AF_INET, "6": socket.AF_INET6}
_KINDS = {socket.AF_INET: " to an IPv4 address", socket.AF_INET6: " to an IPv6 address"}

Addresses = tuple[str, ...]
Question = tuple[str, socket.AddressFamily]

_cache: dict[Question, tuple[float, Addresses]] = {}
_running: dict[Question, Future[Addresses]] = {}


#: The project that looks up names: projects share the threads fairly.
asking_project: ContextVar[UUID | None] = ContextVar("asking_project", default=None)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="resolve")


@cache
def _limiter() -> FairSemaphore:
    return FairSemaphore(_THREADS)


async def find_all(host: str, ip_version: str, timeout: float) -> Addresses | Outcome:
    """Return the addresses of `host` that the guard allows, at least one, or the outcome that says why there is none.

    `ip_version` is `auto`, `4` or `6`. `timeout` is in seconds. The addresses are in the system's order of preference.
    """
    found = await addresses(host, ip_version, timeout)
    if isinstance(found, Outcome):
        return found
    refusal, allowed = "", []
    for ip in found:
        try:
            guard.judge(ip, _ascii(host))
        except guard.BlockedTarget as error:
            refusal = str(error)
        else:
            allowed.append(ip)
    return tuple(allowed) or Outcome(Status.ERROR, reason=Reason.BLOCKED_TARGET, message=plain(refusal))


async def addresses(host: str, ip_version: str, timeout: float) -> Addresses | Outcome:
    """Return all addresses of `host`, at least one, or the outcome that says why there is none. The guard is not asked."""
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
        sentence = f"The name {plain(host, 100)} could not be resolved within {seconds(timeout)}."
        return await _unanswered(host, sentence)
    except socket.gaierror as error:
        if error.errno in _OUR_LOOKUP_ERRORS:
            return socket_failure.ours(error.strerror or "names cannot be resolved", _FAULTS.get(error.errno))
        sentence = f"The name {plain(host, 100)} could not be resolved{_KINDS.get(family, '')}."
        return await _unanswered(host, sentence) if error.errno in _UNANSWERED else _unresolved(sentence)
    except UnicodeError:
        return _unresolved(f"The name {plain(host, 100)} could not be resolved{_KINDS.get(family, '')}.")
    except OSError as error:
        # For example no descriptor for the resolver's own socket.
        return socket_failure.ours(error.strerror or "names cannot be resolved", worker_fault.of_errno(error.errno))


@lru_cache(maxsize=4096)
def is_literal(host: str) -> bool:
    """Return whether `host` is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def family_of(ip: str) -> socket.AddressFamily:
    """Return the socket family of an IP address."""
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


def invalidate(host: str) -> None:
    """Remove `host` from the cache, so that the next check looks it up again."""
    with suppress(InvalidConfig, UnicodeError):
        name = host_names.bare(_ascii(host))
        for family in _FAMILIES.values():
            for spelling in (name, f"{name}."):
                _cache.pop((spelling, family), None)


def forget() -> None:
    """Clear the cache."""
    _cache.clear()


@lru_cache(maxsize=4096)
def _ascii(host: str) -> str:
    """Return `host` as it is passed to the system's resolver: in ASCII, without brackets.

    A final dot is kept: it keeps the resolver from trying search domains. Raise `InvalidConfig` or `UnicodeError`.
    """
    name = host.strip()
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    if not name.strip(".") or any(letter in name for letter in "/@ \\") or not name.isprintable():
        raise InvalidConfig("The target must be a host name or an IP address.")
    name = host_names.to_ascii(name)
    return host_names.bare(name) if is_literal(host_names.bare(name)) else name


async def _look_up(question: Question, timeout: float) -> Addresses | Outcome:
    """Look up a name. Concurrent callers share one look-up. Raise `TimeoutError`, `OSError` or `UnicodeError`."""
    lookup = _running.get(question)
    if lookup is None:
        lookup = _running[question] = Future()
        lookup.add_done_callback(lambda _: _running.pop(question, None))
        project = asking_project.get()
        _limiter().acquire(project, partial(_start, lookup, question, project))
    loop = asyncio.get_running_loop()
    answered = asyncio.Event()

    def wake(_: Future[Addresses]) -> None:
        # The loop may be closed.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(answered.set)

    lookup.add_done_callback(wake)
    try:
        async with asyncio.timeout(timeout):
            await answered.wait()
    except TimeoutError:
        if not lookup.running() and not lookup.done():
            return socket_failure.ours("too many names are being looked up at the same time")
        raise
    return lookup.result()


def _start(lookup: Future[Addresses], question: Question, project: UUID | None) -> None:
    """Look up in a thread, and release the project's permit afterwards."""

    def run() -> None:
        lookup.set_running_or_notify_cancel()
        try:
            found = _ask(question)
        except BaseException as error:  # noqa: BLE001 - it is raised in the callers that wait
            lookup.set_exception(error)
        else:
            lookup.set_result(found)
        finally:
            _limiter().release(project)

    _threads().submit(run)


def _ask(question: Question) -> Addresses:
    name, family = question
    try:
        found = socket.getaddrinfo(host_names.to_lookup(name), None, family, socket.SOCK_STREAM)
    except socket.gaierror as error:
        # Without a free descriptor the system's resolver reports "no such name".
        socket_failure.require_socket()
        if error.errno not in _UNANSWERED | _OUR_LOOKUP_ERRORS:
            name_servers.record_success(name)
        raise
    name_servers.record_success(name)
    # In the system's order of preference, without duplicates.
    result = tuple(dict.fromkeys(str(address[0]) for *_, address in found))
    if len(_cache) >= _CACHE_SIZE:
        _cache.clear()
    # The system's resolver does not return a TTL.
    _cache[question] = (time.monotonic() + settings.get().dns_cache_seconds, result)
    return result


async def _unanswered(host: str, message: str) -> Outcome:
    """Return the outcome of a look-up without a response: down if the name servers work, else an error of the worker."""
    if await name_servers.work_for_other_names(_ascii(host)):
        return _unresolved(message)
    if socket_failure.is_cut_off():
        what = "no name server can be reached, because this machine has no route to any network"
        return socket_failure.ours(what, WorkerFault.NETWORK)
    return socket_failure.ours("the name servers of this machine do not resolve names", WorkerFault.NAME_SERVER)


def _unresolved(message: str) -> Outcome:
    return Outcome(Status.DOWN, reason=Reason.DNS_FAILURE, message=message)
