"""Send pings from a separate process: each connection sends its next ping after the response to the last one.

`python -m ops.bench.pinger HOST PORT CONNECTIONS SECONDS` reads paths from standard input, one a line, and prints
`{"answers": {status: count}, "latencies": [milliseconds, sorted]}`.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator


class Job(asyncio.Protocol):
    """One connection, which stays open."""

    def __init__(self, host: str, paths: Iterator[str], until: float, answers: Counter[int]) -> None:
        self._host, self._paths, self._until, self._answers = host, paths, until, answers
        self._data = b""
        self.latencies: list[float] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        if time.perf_counter() >= self._until:
            self._transport.close()
            return
        request = (
            f"GET {next(self._paths)} HTTP/1.1\r\nHost: {self._host}\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n"
        )
        self._began = time.perf_counter()
        self._transport.write(request.encode())

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self.latencies.append((time.perf_counter() - self._began) * 1000)
        self._answers[int(head.split(b" ", 2)[1])] += 1
        self._data = b""
        self._send()

    def connection_lost(self, _: Exception | None) -> None:
        self.ended.set_result(None)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


async def main(host: str, port: int, connections: int, seconds: float, paths: list[str]) -> None:
    """Send pings, then print the result."""
    loop, turn, answers = asyncio.get_running_loop(), itertools.cycle(paths), Counter[int]()
    until = time.perf_counter() + seconds
    jobs = [
        (await loop.create_connection(lambda: Job(host, turn, until, answers), host, port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(job.ended for job in jobs))
    print(json.dumps({"answers": answers, "latencies": sorted(itertools.chain(*(job.latencies for job in jobs)))}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.stdin.read().split()))
