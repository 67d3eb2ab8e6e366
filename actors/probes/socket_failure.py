"""Decides whether a failed connection is the target's fault or this machine's."""

import errno
import socket
from collections.abc import Iterable, Sequence

from actors.probes import gateway, worker_fault
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.wording import plain
from actors.probes.worker_fault import WorkerFault

# Too many open files, no memory, no local ports, a local firewall: never the target's fault.
OURS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.EADDRNOTAVAIL,
        errno.EACCES,
        errno.EPERM,
        errno.EAFNOSUPPORT,
    }
)
# EADDRNOTAVAIL: this machine has no address to send from, for example with IPv6 on loopback only.
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL})
_NO_WAY = frozenset({errno.EHOSTUNREACH, errno.ETIMEDOUT})
#: Documentation addresses: a machine with a route to them has a default route.
_PROBE_ADDRESSES = ("198.51.100.1", "2001:db8::1")
TARGETS = {
    errno.ECONNREFUSED: (Reason.CONNECTION_REFUSED, "{host} refused the connection."),
    errno.ECONNRESET: (Reason.CONNECTION_RESET, "{host} reset the connection."),
    errno.EPIPE: (Reason.CONNECTION_RESET, "{host} closed the connection."),
    errno.ETIMEDOUT: (Reason.CONNECT_TIMEOUT, "{host} did not accept the connection in time."),
    errno.EHOSTUNREACH: (Reason.HOST_UNREACHABLE, "{host} cannot be reached: there is no route to it."),
    errno.ENETUNREACH: (Reason.HOST_UNREACHABLE, "{host} cannot be reached: there is no route to its network."),
}


def has_route(ip: str) -> bool:
    """Return whether this machine has a route to `ip`. Send nothing."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((ip, 9))
    except OSError as error:
        return error.errno not in {errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
    return True


def require_socket() -> None:
    """Raise `OSError` if this process cannot open a socket."""
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


def is_cut_off() -> bool:
    """Return whether this machine has no route to other networks."""
    return not any(map(has_route, _PROBE_ADDRESSES))


def cut_off_by_gateway(tried: Iterable[str]) -> Outcome | None:
    """Return an error if this machine's gateway to one of the addresses is dead, else None."""
    if any(map(gateway.is_dead, tried)):
        return ours("the gateway of this machine does not respond", WorkerFault.NETWORK)
    return None


def ours(what: str, fault: WorkerFault | None = None) -> Outcome:
    """Return the outcome of a check that failed because of this machine.

    `what` is a short reason. `fault` is what the operator is warned of.
    """
    return Outcome(
        Status.ERROR,
        reason=Reason.INTERNAL_ERROR,
        message=f"This worker could not check: {plain(what, 120)}.",
        fault=fault,
    )


def explain(error: OSError, host: str, tried: Sequence[str]) -> Outcome:
    """Return the outcome of a failed socket call. The caller adds times and details.

    `tried` are the addresses. If this machine has no route to any of them, the state of the target is unknown, so the outcome
    is an error.
    """
    if error.errno in _NO_ROUTE and not any(map(has_route, tried)):
        return ours("this machine has no route to the target's network", WorkerFault.NETWORK if is_cut_off() else None)
    if error.errno in _NO_WAY and (cut := cut_off_by_gateway(tried)) is not None:
        return cut
    if error.errno in OURS:
        return ours(error.strerror or "the system refused", worker_fault.of_errno(error.errno))
    reason, sentence = TARGETS.get(
        error.errno or 0, (Reason.HOST_UNREACHABLE, f"{{host}} cannot be reached: {plain(error.strerror or '', 80)}.")
    )
    return Outcome(Status.DOWN, reason=reason, message=sentence.replace("{host}", plain(host, 100)))
