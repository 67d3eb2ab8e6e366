"""Twenty thousand checks of the worst servers leave nothing behind."""

import asyncio
import gc
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from actors import probes
from actors.probes.outcome import Reason

from .checking import target

_CHECKS, _WINDOWS, _AT_ONCE = 20_000, 10, 100
_TIMEOUT = 0.15
_EXPECTED = {Reason.READ_TIMEOUT, Reason.CONNECTION_RESET, Reason.CONNECTION_REFUSED}


class Crowd:
    """One thread that accepts everybody and hangs, resets or drips, by the port."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._ready = threading.Event()
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(10)

    async def _serve(self) -> None:
        servers = []
        for name, handler in (("hangs", self._hang), ("resets", self._reset), ("drips", self._drip)):
            server = await asyncio.start_server(handler, "127.0.0.1", 0, backlog=1024)
            self.ports[name] = server.sockets[0].getsockname()[1]
            servers.append(server)
        self._ready.set()
        await asyncio.to_thread(self._stopped.wait)
        for server in servers:
            server.close()

    async def _hang(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            while await reader.read(4096):
                pass

    async def _reset(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def _drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await reader.read(4096)


@contextmanager
def _crowd() -> Iterator[Crowd]:
    crowd = Crowd()
    try:
        yield crowd
    finally:
        crowd.stop()


async def _window(addresses: list[str], count: int) -> dict[Reason | None, int]:
    """`count` checks of the addresses in turn, `_AT_ONCE` at a time; how often each reason came."""
    found: dict[Reason | None, int] = {}
    for start in range(0, count, _AT_ONCE):
        chosen = [addresses[number % len(addresses)] for number in range(start, start + _AT_ONCE)]
        some = [target("http_request", address, _TIMEOUT, keywordInBody="absent") for address in chosen]
        for outcome in await asyncio.gather(*(probes.http.probe(one) for one in some)):
            found[outcome.reason] = found.get(outcome.reason, 0) + 1
    return found


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def _open_files_settle_at(wanted: int) -> int:
    """The number of open files, once the crowd has seen that no peer is left; at most some seconds."""
    for _ in range(100):
        if (count := len(list(Path("/proc/self/fd").iterdir()))) <= wanted:
            return count
        await asyncio.sleep(0.05)
    return count


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(240)
def test_twenty_thousand_checks_of_bad_servers_leave_no_file_and_no_memory() -> None:
    async def soak(addresses: list[str]) -> None:
        process = psutil.Process()
        await _window(addresses, _CHECKS // _WINDOWS)
        files = await _open_files_settle_at(0)
        memory = []
        for _ in range(_WINDOWS - 1):
            reasons = await _window(addresses, _CHECKS // _WINDOWS)
            assert sum(reasons.values()) == _CHECKS // _WINDOWS
            # A busy machine may give up before the connection stands: no other answer is right.
            assert set(reasons) - {Reason.CONNECT_TIMEOUT} == _EXPECTED, reasons
            gc.collect()
            memory.append(process.memory_info().rss)
            assert await _open_files_settle_at(files) <= files
        assert max(memory[-3:]) < 1.1 * max(memory[:3]), memory

    with _crowd() as crowd:
        ports = [*crowd.ports.values(), _closed_port()]
        asyncio.run(soak([f"http://127.0.0.1:{port}/" for port in ports]))
    probes.release()
