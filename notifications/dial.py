"""Outgoing connections: only to addresses that the guard allows, and with a deadline.

A service that sends one byte at a time restarts an ordinary socket timeout again and again. The sockets of this module
have a deadline for the whole exchange.
"""

import math
import socket
import ssl
import time
from functools import cache
from typing import Any

import certifi

import guard
import host_names
from notifications.notice import NotificationError
from notifications.plain import line

CONNECT_SECONDS = 5.0


def _limit_timeout(sock: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the exchange took too long")
    timeout = sock.gettimeout()
    if timeout is None or left < timeout:
        sock.settimeout(left)


class BoundedSocket(socket.socket):
    """A socket whose reads fail with `TimeoutError` after `deadline` (monotonic seconds)."""

    deadline: float = math.inf

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _limit_timeout(self, self.deadline)
        return super().recv_into(*args, **kwargs)


class BoundedTLSSocket(ssl.SSLSocket):
    """`BoundedSocket` with TLS. Wrapping a socket creates a new object, so the caller must set `deadline` again."""

    deadline: float = math.inf

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _limit_timeout(self, self.deadline)
        return super().recv_into(*args, **kwargs)


@cache
def tls_context(protocol: str) -> ssl.SSLContext:
    """Return the context for `protocol` ("http" or "smtp"). It is cached, because reading the authorities takes 50 ms.

    Each protocol has its own context, because ALPN is set per context.
    """
    context = ssl.create_default_context()
    if protocol == "http":
        context.set_alpn_protocols(["http/1.1"])
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())  # minimal containers have no authorities
    context.sslsocket_class = BoundedTLSSocket
    return context


def dial(host: str, port: int, deadline: float, *, guarded: bool = True) -> BoundedSocket:
    """Connect to the first address of `host` that the guard allows and that accepts a connection.

    The name is resolved once, so that the guard checks the address that is connected to. `guarded=False` is for the
    operator's own servers. Raise `NotificationError`.
    """
    name = line(host, 100)
    try:
        addresses = socket.getaddrinfo(host_names.to_lookup(host), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotificationError(f"{name} could not be resolved.", permanent=False) from None
    refused = failed = ""
    for family, kind, protocol, _, address in addresses:
        try:
            if guarded:
                guard.judge(str(address[0]), host)
            return _connect(BoundedSocket(family, kind, protocol), address, deadline)
        except guard.BlockedTarget as error:
            refused = line(str(error), 400)
        except TimeoutError:
            failed = f"{name} did not accept a connection in time."
        except OSError as error:
            failed = f"{name} could not be reached: {error.strerror or 'no connection'}."
    if failed:
        raise NotificationError(failed, permanent=False)
    raise NotificationError(refused or f"{name} has no address.", permanent=True)


def _connect(sock: BoundedSocket, address: Any, deadline: float) -> BoundedSocket:
    sock.settimeout(CONNECT_SECONDS)
    try:
        _limit_timeout(sock, deadline)
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    sock.deadline = deadline
    return sock
