"""One ICMP socket for all the pings of an asyncio loop.

Every raw ICMP socket receives every reply that reaches the machine. A socket for each ping would wake all of them for
all replies, so one socket hands each reply to the request it belongs to.
"""

import asyncio
import itertools
import os
import socket
import struct
import time

from pythonping.icmp import ICMP, Types

_RECEIVE_BUFFER = 1024 * 1024
_AT_ONCE = 256
_LARGEST_PACKET = 2048
_IPV4_HEADER = 20
_ICMP_HEADER = 8
_ICMPV6_FILTER = 1
# (identifier, sequence number); the identifier is 0 where the kernel chooses it
Key = tuple[int, int]


class NotPermitted(Exception):
    """This process may open no ICMP socket; `str()` says what to set."""


class _EchoRequestV6(Types.EchoRequest):  # type: ignore[misc]
    type_id = 128


_REQUESTS = {socket.AF_INET: Types.EchoRequest, socket.AF_INET6: _EchoRequestV6}
_REPLIES = {socket.AF_INET: 0, socket.AF_INET6: 129}


class IcmpSocket:
    """Requests out, replies in, matched by identifier, sequence number, address and payload."""

    def __init__(self, loop: asyncio.AbstractEventLoop, family: socket.AddressFamily) -> None:
        self._loop = loop
        self._family = family
        self._socket, self._raw = _open(family)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._waiting: dict[Key, tuple[str, bytes, float, asyncio.Future[float]]] = {}
        # Other programs, and other workers on this machine, ping too: begin anywhere.
        self._numbers = itertools.count(int.from_bytes(os.urandom(4), "big"))
        loop.add_reader(self._socket.fileno(), self._on_readable)

    def send(self, ip: str, payload: bytes) -> asyncio.Future[float]:
        """Send one request; the future holds its round-trip time in seconds, or `OSError` where it came back.

        Raises `OSError` where it cannot be sent. Whoever waits no longer cancels the future.
        """
        key = self._free_key()
        packet = ICMP(_REQUESTS[self._family], payload, *key).packet
        future: asyncio.Future[float] = self._loop.create_future()
        self._waiting[key] = (ip, payload, time.perf_counter(), future)
        future.add_done_callback(lambda _: self._waiting.pop(key, None))
        try:
            self._socket.sendto(packet, (ip, 0))
        except BlockingIOError:
            # The send queue is full: the packet is lost, as on any other full queue on its way.
            pass
        except OSError:
            future.cancel()
            raise
        return future

    def close(self) -> None:
        """Give the descriptor back; the loop runs no more."""
        self._socket.close()

    def _free_key(self) -> Key:
        while True:
            number = next(self._numbers)
            key = ((number >> 16) & 0xFFFF if self._raw else 0, number & 0xFFFF)
            if key not in self._waiting:
                return key

    def _on_readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, address = self._socket.recvfrom(_LARGEST_PACKET)
            except BlockingIOError:
                return
            except OSError:
                # An unprivileged socket reports here that a packet came back; its request runs into its deadline.
                continue
            self._on_packet(data, str(address[0]), time.perf_counter())

    def _on_packet(self, data: bytes, sender: str, now: float) -> None:
        packet = _parse(data, self._raw and self._family == socket.AF_INET)
        if packet is None or packet.message_type != _REPLIES[self._family]:
            return
        key = (packet.id if self._raw else 0, packet.sequence_number)
        ip, payload, sent, future = self._waiting.get(key, ("", b"", 0.0, None))
        if future is None or future.done() or sender.partition("%")[0] != ip or packet.payload != payload:
            return
        future.set_result(now - sent)


def _parse(data: bytes, with_ip_header: bool) -> ICMP | None:
    """The ICMP packet in `data`; pythonping reads it behind an IP header of 20 bytes, whatever is in there."""
    start = (data[0] & 0x0F) * 4 if with_ip_header and data else 0
    if len(data) < start + _ICMP_HEADER:
        return None
    return ICMP.generate_from_raw(bytes(_IPV4_HEADER) + data[start:])


def _open(family: socket.AddressFamily) -> tuple[socket.socket, bool]:
    """A raw socket where this process may have one, else an unprivileged one. Raises `NotPermitted` and `OSError`."""
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    try:
        raw = socket.socket(family, socket.SOCK_RAW, protocol)
    except PermissionError:
        pass
    else:
        if family == socket.AF_INET6:
            # Echo replies only: bits that are set are types that are not wanted.
            wanted = bytearray(b"\xff" * 32)
            struct.pack_into("=I", wanted, 16, ~(1 << (129 - 128)) & 0xFFFFFFFF)
            raw.setsockopt(socket.IPPROTO_ICMPV6, _ICMPV6_FILTER, bytes(wanted))
        return raw, True
    try:
        return socket.socket(family, socket.SOCK_DGRAM, protocol), False
    except PermissionError:
        raise NotPermitted(
            "This worker may not send pings: give it the capability CAP_NET_RAW, or let its group use unprivileged"
            f" pings with: sysctl -w net.ipv4.ping_group_range='{os.getgid()} {os.getgid()}'"
        ) from None


_SOCKETS: dict[tuple[asyncio.AbstractEventLoop, socket.AddressFamily], IcmpSocket] = {}


def running(family: socket.AddressFamily) -> IcmpSocket:
    """The socket of the running loop, opened at the first call. Raises `NotPermitted` and `OSError`."""
    key = (asyncio.get_running_loop(), family)
    found = _SOCKETS.get(key)
    if found is None:
        release()
        found = _SOCKETS[key] = IcmpSocket(*key)
    return found


def release() -> None:
    """Give back the descriptors of loops that have closed; other threads may be at it too."""
    for key in list(_SOCKETS):
        if key[0].is_closed() and (found := _SOCKETS.pop(key, None)):
            found.close()
