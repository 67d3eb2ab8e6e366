"""The fast target of the benchmark, in a separate process: it responds to each request from memory and closes.

`/good` and `/bad` set the response of `/`. `/hook` receives a webhook and stores the time; `/hooks` returns these times.
`/hang` never responds.
"""

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit

KEYWORD = "all systems go"


class State:
    """The current response of the target, and the times of its webhooks."""

    def __init__(self) -> None:
        self.status = "200 OK"
        self.bad_at: float | None = None
        self.first_bad_answer: float | None = None
        self.hooks: list[float] = []


class Connection(asyncio.Protocol):
    """One request and one response, then it closes, so that every check needs a new connection."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        path = urlsplit(head.split(b" ", 2)[1].decode()).path
        if path == "/hang":
            return  # the client waits until its timeout
        status, answer = self._answer(path)
        self._transport.write(
            f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(answer)}\r\n"
            f"Connection: close\r\n\r\n{answer}".encode()
        )
        self._transport.close()

    def _answer(self, path: str) -> tuple[str, str]:
        state = self._state
        if path == "/hook":
            state.hooks.append(time.time())
            return "200 OK", ""
        if path == "/good":
            state.status, state.first_bad_answer, state.hooks = "200 OK", None, []
        elif path == "/bad":
            state.status, state.first_bad_answer, state.hooks = "500 Internal Server Error", None, []
        elif path == "/hooks":
            return "200 OK", json.dumps({"firstBadAnswer": state.first_bad_answer, "hooks": state.hooks})
        else:
            if not state.status.startswith("200") and state.first_bad_answer is None:
                state.first_bad_answer = time.time()
            return state.status, f"status: {KEYWORD}\n"
        return "200 OK", ""


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


async def main() -> None:
    """Print a free port and serve on it."""
    state = State()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(state), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1])
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
