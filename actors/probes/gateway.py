"""Whether this machine's own router answers: if it does not, every target behind it seems dead."""

import socket
import struct
from pathlib import Path
from typing import NamedTuple

_ROUTES, _NEIGHBOURS = Path("/proc/net/route"), Path("/proc/net/arp")
_UP, _GATEWAY = 0x1, 0x2
#: The flags of a neighbour that does not answer.
_UNANSWERED = 0


class _Route(NamedTuple):
    network: int
    mask: int
    metric: int
    #: 0 where the network is reached without one.
    gateway: int
    device: str


def is_dead(ip: str) -> bool:
    """Return whether packets to `ip` go to a gateway that does not answer. IPv4 only; False where nothing is known.

    The system has asked for the gateway when the connection to `ip` was tried: call this right after it failed.
    """
    try:
        wanted = _number(ip)
        routes = [route for route in _routes() if wanted & route.mask == route.network]
        best = max(routes, key=lambda route: (route.mask.bit_count(), -route.metric), default=None)
        return best is not None and best.gateway != 0 and (best.gateway, best.device) in _dead_neighbours()
    except (OSError, ValueError, struct.error):
        return False


def _number(ip: str) -> int:
    """Return the address as the kernel's tables have it. Raise `OSError` unless it is IPv4."""
    (number,) = struct.unpack("=I", socket.inet_aton(ip))
    return int(number)


def _routes() -> list[_Route]:
    found = []
    for line in _ROUTES.read_text().splitlines()[1:]:
        device, network, gateway, flags, _, _, metric, mask, *_ = line.split()
        if int(flags, 16) & _UP:
            through = int(gateway, 16) if int(flags, 16) & _GATEWAY else 0
            found.append(_Route(int(network, 16), int(mask, 16), int(metric), through, device))
    return found


def _dead_neighbours() -> set[tuple[int, str]]:
    found = set()
    for line in _NEIGHBOURS.read_text().splitlines()[1:]:
        ip, _, flags, *_, device = line.split()
        if int(flags, 16) == _UNANSWERED:
            found.add((_number(ip), device))
    return found
