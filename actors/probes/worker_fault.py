"""Faults of a check worker that an operator can fix."""

import errno
from enum import StrEnum


class WorkerFault(StrEnum):
    """A fault of a worker. The values are stored in Redis: do not change them."""

    NAME_SERVER = "name_server"
    NETWORK = "network"
    DESCRIPTORS = "descriptors"
    MEMORY = "memory"
    PORTS = "ports"
    AUTHORITIES = "authorities"
    STALL = "standstill"


#: Warnings for operators, without the subject (the worker): what is wrong, and what to do.
SENTENCES = {
    WorkerFault.NAME_SERVER: "has name servers that resolve nothing. Check its /etc/resolv.conf and the servers named there.",
    WorkerFault.NETWORK: "reaches no network: it has no route, or its gateway does not answer. Check its connection.",
    WorkerFault.DESCRIPTORS: "has no file descriptors left. Raise its limit (ulimit -n, LimitNOFILE).",
    WorkerFault.MEMORY: "has no memory left for connections. Give the machine more memory, or fewer checks.",
    WorkerFault.PORTS: "has no local ports left. Widen net.ipv4.ip_local_port_range, or start more workers.",
    WorkerFault.AUTHORITIES: "cannot read its certificate authorities. Install the CA certificates of the system.",
    WorkerFault.STALL: "was stalled during checks. Look for overload, too little CPU, or a suspended machine.",
}

_BY_ERRNO = {
    errno.EMFILE: WorkerFault.DESCRIPTORS,
    errno.ENFILE: WorkerFault.DESCRIPTORS,
    errno.ENOMEM: WorkerFault.MEMORY,
    errno.ENOBUFS: WorkerFault.MEMORY,
    errno.EADDRNOTAVAIL: WorkerFault.PORTS,
}


def of_errno(number: int | None) -> WorkerFault | None:
    """Return the fault that a system error number means, or None."""
    return _BY_ERRNO.get(number or 0)
