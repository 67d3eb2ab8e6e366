"""Detects a dead gateway of this machine. Behind a dead gateway every target seems to be down."""

import socket
import struct
from pathlib import Path
from typing import NamedTuple

_ROUTES, _NEIGHBOURS = Path("/proc/net/route"), Path("/proc/net/arp")
_UP, _GATEWAY = 0x1, 0x2
#: The flags of an unresolved entry of the ARP table.
_INCOMPLETE = 0


class _Route(NamedTuple):
    network: int
    mask: int
    metric: int
    #: 0 if the network is directly connected.
    gateway: int
    device: str


def is_dead(ip: str) -> bool:
    """Return whether the gateway to `ip` does not respond. IPv4 only. Return False if it is unknown.

    Call this right after a connection to `ip` failed: the system has resolved the gateway's address for that attempt.
    """
    try:
        wanted = _number(ip)
        routes = [route for route in _routes() if wanted & route.mask == route.network]
        best = max(routes, key=lambda route: (route.mask.bit_count(), -route.metric), default=None)
        return best is not None and best.gateway != 0 and (best.gateway, best.device) in _dead_neighbours()
    except (OSError, ValueError, struct.error):
        return False


def _number(ip: str) -> int:
    """Return the address in the format of the kernel's tables. Raise `OSError` unless it is IPv4."""
    (number,) = struct.unpack("=I", socket.inet_aton(ip))
    return int(number)


def _routes() -> list[_Route]:
    routes = []
    for line in _ROUTES.read_text().splitlines()[1:]:
        device, network, gateway, flags, _, _, metric, mask, *_ = line.split()
        if int(flags, 16) & _UP:
            through = int(gateway, 16) if int(flags, 16) & _GATEWAY else 0
            routes.append(_Route(int(network, 16), int(mask, 16), int(metric), through, device))
    return routes


def _dead_neighbours() -> set[tuple[int, str]]:
    dead = set()
    for line in _NEIGHBOURS.read_text().splitlines()[1:]:
        ip, _, flags, *_, device = line.split()
        if int(flags, 16) == _INCOMPLETE:
            dead.add((_number(ip), device))
    return dead
