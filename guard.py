"""The target guard: decides which addresses Supercheck may connect to for a user.

Users choose targets and webhook URLs. Without a guard they could reach the network that Supercheck runs in. The guard always
checks the address of the connection, never a name: probes call `judge` from the socket's own callback, so DNS rebinding has
no effect.
"""

import ipaddress
import socket
from collections.abc import Iterable
from functools import lru_cache

import host_names
import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")
_NOT_FOR_USERS = (
    ipaddress.IPv4Network("100.64.0.0/10"),
    # Protocol assignments, among them a cloud's metadata service; the library calls most of them global.
    ipaddress.IPv4Network("192.0.0.0/24"),
    # A public address, but within Azure it is the host of the virtual machine.
    ipaddress.IPv4Network("168.63.129.16/32"),
)


class BlockedTarget(Exception):
    """The guard blocked an address. `str()` says which, and how an operator can allow it."""


def _embedded(address: ipaddress.IPv6Address) -> Iterable[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses that are embedded in an IPv6 address: mapped, compatible, NAT64, 6to4, Teredo."""
    number = int(address)
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if any(address in network for network in _NAT64) or address in _TRANSLATED or number >> 32 == 0:
        yield ipaddress.IPv4Address(number & 0xFFFFFFFF)


def is_public(address: Address) -> bool:
    """Return whether `address` belongs to the public internet, including addresses embedded in it."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None or address in _SITE_LOCAL or address in _DOCUMENTATION:
            return False
        inner = list(_embedded(address))
        if inner:
            return all(is_public(embedded) for embedded in inner)
    elif any(address in network for network in _NOT_FOR_USERS):
        return False
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )


@lru_cache(maxsize=4096)
def _allowed(ip: str, host: str, allow_all: bool, allowed: tuple[str, ...]) -> bool:
    address = ipaddress.ip_address(ip)
    if allow_all or is_public(address):
        return True
    if host_names.bare(host) in allowed or ip in allowed:
        return True
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain in ipaddress.ip_network(entry) for entry in allowed if "/" in entry)


def judge(ip: str, host: str = "") -> None:
    """Raise `BlockedTarget` unless connecting to `ip`, reached under the name `host`, is allowed."""
    config = settings.get()
    if not _allowed(ip, host, config.allow_internal_targets, config.allowed_internal_targets):
        # The message omits the address of a name: users who may only choose targets must not be able to map the internal
        # network.
        raise BlockedTarget(
            f"{host or ip} {'leads to' if host and host != ip else 'is'} an internal address. An operator can allow it with"
            f" ALLOWED_INTERNAL_TARGETS={host_names.bare(host) or ip}, or all of them with ALLOW_INTERNAL_TARGETS=true."
        )


def resolve(host: str, port: int, *, kind: int = socket.SOCK_STREAM, family: int = socket.AF_UNSPEC) -> str:
    """Return the first address of `host` that the guard allows. Blocks.

    Raise `BlockedTarget` if none is allowed, `socket.gaierror` if the name has no address, and `UnicodeError` if it is not a
    valid name.
    """
    refused: BlockedTarget | None = None
    for *_, address in socket.getaddrinfo(host_names.to_lookup(host), port, family, kind):
        ip = str(address[0])
        try:
            judge(ip, host)
        except BlockedTarget as error:
            refused = error
        else:
            return ip
    assert refused is not None, "getaddrinfo returns at least one address or raises"
    raise refused


def judge_host_at_save(host: str) -> None:
    """Raise `BlockedTarget` if `host` is, or resolves only to, blocked addresses.

    A name that does not resolve is accepted: it may exist later, and each check asks the guard again.
    """
    try:
        resolve(host.strip("[]"), 0)
    except (socket.gaierror, ValueError):
        # Includes names that cannot be encoded or contain a NUL.
        return
