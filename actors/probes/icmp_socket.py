"""One ICMP socket for all the pings of an asyncio loop.

Every raw ICMP socket receives every reply that reaches the machine. One socket per ping would wake all of them for each
reply, so one socket assigns each reply to its request.
"""

import asyncio
import itertools
import os
import socket
import struct
import time

from pythonping.icmp import ICMP, Types

_RECEIVE_BUFFER = 1024 * 1024
_MAX_PACKETS = 256
_MAX_PACKET_SIZE = 2048
_IPV4_HEADER = 20
_ICMP_HEADER = 8
_ICMPV6_FILTER = 1
# (identifier, sequence number); the identifier is 0 where the kernel chooses it
Key = tuple[int, int]


class NotPermitted(Exception):
    """This process may not open ICMP sockets. `str()` says what to set."""


class _EchoRequestV6(Types.EchoRequest):  # type: ignore[misc]
    type_id = 128


_REQUESTS = {socket.AF_INET: Types.EchoRequest, socket.AF_INET6: _EchoRequestV6}
_REPLIES = {socket.AF_INET: 0, socket.AF_INET6: 129}


class IcmpSocket:
    """Sends requests and matches replies by identifier, sequence number, address and payload."""

    def __init__(self, loop: asyncio.AbstractEventLoop, family: socket.AddressFamily) -> None:
        self._loop = loop
        self._family = family
        self._socket, self._raw = _open(family)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._waiting: dict[Key, tuple[str, bytes, float, asyncio.Future[float]]] = {}
        # Other programs and workers on this machine send pings too, so start at a random number.
        self._numbers = itertools.count(int.from_bytes(os.urandom(4), "big"))
        loop.add_reader(self._socket.fileno(), self._on_readable)

    def send(self, ip: str, payload: bytes) -> asyncio.Future[float]:
        """Send one request. The future gets its round-trip time in seconds. Cancel it to stop waiting.

        Raise `OSError` if the request cannot be sent.
        """
        key = self._free_key()
        packet = ICMP(_REQUESTS[self._family], payload, *key).packet
        future: asyncio.Future[float] = self._loop.create_future()
        self._waiting[key] = (ip, payload, time.perf_counter(), future)
        future.add_done_callback(lambda _: self._waiting.pop(key, None))
        try:
            self._socket.sendto(packet, (ip, 0))
        except BlockingIOError:
            # The send queue is full, so the packet is lost, as on any full queue in the network.
            pass
        except OSError:
            future.cancel()
            raise
        return future

    def close(self) -> None:
        """Close the socket. The loop must have ended."""
        self._socket.close()

    def _free_key(self) -> Key:
        while True:
            number = next(self._numbers)
            key = ((number >> 16) & 0xFFFF if self._raw else 0, number & 0xFFFF)
            if key not in self._waiting:
                return key

    def _on_readable(self) -> None:
        for _ in range(_MAX_PACKETS):
            try:
                data, address = self._socket.recvfrom(_MAX_PACKET_SIZE)
            except BlockingIOError:
                return
            except OSError:
                # An unprivileged socket reports a returned packet here. Its request times out.
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
    """Return the ICMP packet in `data`. pythonping expects it after an IP header of 20 bytes and ignores the header."""
    start = (data[0] & 0x0F) * 4 if with_ip_header and data else 0
    if len(data) < start + _ICMP_HEADER:
        return None
    return ICMP.generate_from_raw(bytes(_IPV4_HEADER) + data[start:])


def _open(family: socket.AddressFamily) -> tuple[socket.socket, bool]:
    """Return a raw socket if permitted, else an unprivileged one. Raise `NotPermitted` or `OSError`."""
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    try:
        raw = socket.socket(family, socket.SOCK_RAW, protocol)
    except PermissionError:
        pass
    else:
        if family == socket.AF_INET6:
            # Receive only echo replies: set bits are blocked types.
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
    """Return the socket of the running loop. Open it at the first call. Raise `NotPermitted` or `OSError`."""
    key = (asyncio.get_running_loop(), family)
    opened = _SOCKETS.get(key)
    if opened is None:
        release()
        opened = _SOCKETS[key] = IcmpSocket(*key)
    return opened


def release() -> None:
    """Close the sockets of closed loops. Thread-safe."""
    for key in list(_SOCKETS):
        if key[0].is_closed() and (opened := _SOCKETS.pop(key, None)):
            opened.close()
