"""Kinds of our own fault that an operator can do something about."""

import errno
from enum import StrEnum


class WorkerFault(StrEnum):
    """What a worker lacks. The values are stored for a while in Redis: keep them when wording changes."""

    NAME_SERVER = "name_server"
    NETWORK = "network"
    DESCRIPTORS = "descriptors"
    MEMORY = "memory"
    PORTS = "ports"
    AUTHORITIES = "authorities"
    STANDSTILL = "standstill"


#: For operators: what follows the name of the worker, and what to do.
SENTENCES = {
    WorkerFault.NAME_SERVER: "has name servers that resolve nothing. Check its /etc/resolv.conf and the servers named there.",
    WorkerFault.NETWORK: "reaches no network: it has no route, or its gateway does not answer. Check its connection.",
    WorkerFault.DESCRIPTORS: "has no file descriptors left. Raise its limit (ulimit -n, LimitNOFILE).",
    WorkerFault.MEMORY: "has no memory left for connections. Give the machine more memory, or fewer checks.",
    WorkerFault.PORTS: "has no local ports left. Widen net.ipv4.ip_local_port_range, or start more workers.",
    WorkerFault.AUTHORITIES: "cannot read its certificate authorities. Install the CA certificates of the system.",
    WorkerFault.STANDSTILL: "stood still during checks. Look for overload, too little CPU, or a suspended machine.",
}

_BY_ERRNO = {
    errno.EMFILE: WorkerFault.DESCRIPTORS,
    errno.ENFILE: WorkerFault.DESCRIPTORS,
    errno.ENOMEM: WorkerFault.MEMORY,
    errno.ENOBUFS: WorkerFault.MEMORY,
    errno.EADDRNOTAVAIL: WorkerFault.PORTS,
}


def of_errno(number: int | None) -> WorkerFault | None:
    """Return the fault that a system error number stands for, None if it stands for none."""
    return _BY_ERRNO.get(number or 0)
