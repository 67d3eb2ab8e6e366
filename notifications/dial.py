"""Connecting out: only to an address that the guard let pass, and never for longer than agreed.

A service that drips one byte at a time renews an ordinary socket timeout for ever; the sockets made here know
the moment at which the whole exchange must be over.
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


def _narrow(sock: socket.socket, ends_at: float) -> None:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("the exchange took too long")
    waits = sock.gettimeout()
    if waits is None or left < waits:
        sock.settimeout(left)


class BoundedSocket(socket.socket):
    """A socket whose reads fail with `TimeoutError` once `ends_at` (monotonic seconds) has passed."""

    ends_at: float = math.inf

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _narrow(self, self.ends_at)
        return super().recv_into(*args, **kwargs)


class BoundedTLSSocket(ssl.SSLSocket):
    """`BoundedSocket` under TLS. Wrapping makes a new object: whoever wraps sets `ends_at` again."""

    ends_at: float = math.inf

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _narrow(self, self.ends_at)
        return super().recv_into(*args, **kwargs)


@cache
def tls_context(protocol: str) -> ssl.SSLContext:
    """The context for `protocol` ("http" or "smtp"), made once: reading the authorities takes some 50 ms.

    One a protocol, because what is offered in the handshake (ALPN) belongs to the context.
    """
    context = ssl.create_default_context()
    if protocol == "http":
        context.set_alpn_protocols(["http/1.1"])
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())  # a bare container has no authorities of its own
    context.sslsocket_class = BoundedTLSSocket
    return context


def dial(host: str, port: int, ends_at: float, *, judged: bool = True) -> BoundedSocket:
    """Connect to the first address of `host` that the guard allows and that answers.

    The very address that was judged is connected to: there is no second resolution. `judged=False` is for the
    operator's own servers. Raises `NotificationError`.
    """
    name = line(host, 100)
    try:
        found = socket.getaddrinfo(host_names.to_lookup(host), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotificationError(f"{name} could not be found: its name does not resolve.", permanent=False) from None
    refused = failed = ""
    for family, kind, protocol, _, address in found:
        try:
            if judged:
                guard.judge(str(address[0]), host)
            return _connect(BoundedSocket(family, kind, protocol), address, ends_at)
        except guard.BlockedTarget as error:
            refused = line(str(error), 400)
        except TimeoutError:
            failed = f"{name} did not accept a connection in time."
        except OSError as error:
            failed = f"{name} could not be reached: {error.strerror or 'no connection'}."
    if failed:
        raise NotificationError(failed, permanent=False)
    raise NotificationError(refused or f"{name} has no address.", permanent=True)


def _connect(sock: BoundedSocket, address: Any, ends_at: float) -> BoundedSocket:
    sock.settimeout(CONNECT_SECONDS)
    try:
        _narrow(sock, ends_at)
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    sock.ends_at = ends_at
    return sock
