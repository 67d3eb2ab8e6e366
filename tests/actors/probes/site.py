"""A misbehaving web site on loopback: each path is a function that gets the connection and says what it likes."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

Handler = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Site:
    """Listens until `stop`; unknown paths are 404."""

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=512)
        self._tls = tls
        self._paths: dict[str, Handler] = {}
        self._threads: list[threading.Thread] = []
        self.seen: list[Seen] = []
        self.connections = 0
        # Where set, every connection is its own, from the first byte on.
        self.takes_over: Handler | None = None
        # Handlers that hang wait for this.
        self.stopping = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def script(self, path: str, handler: Handler) -> str:
        self._paths[path] = handler
        return self.url(path)

    def answer(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> str:
        """`headers` have underscores for hyphens."""
        lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        raw = "\r\n".join([*lines, "", ""]).encode() + body
        return self.script(path, lambda connection: connection.sendall(raw))

    def settle(self) -> None:
        """Let the handlers that hang go, and wait until every connection is closed."""
        self.stopping.set()
        for thread in self._threads:
            thread.join(10)
        self.stopping.clear()

    def stop(self) -> None:
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with closing(connection), suppress(OSError):
            if self.takes_over:
                self.takes_over(connection)
            elif self._tls:
                with self._tls.wrap_socket(connection, server_side=True) as wrapped:
                    self._one_request(wrapped)
            else:
                self._one_request(connection)

    def _one_request(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                return
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (line.partition(":") for line in lines):
            # A field that was sent twice is joined, as HTTP has it.
            kept = headers.get(name.lower())
            headers[name.lower()] = value.strip() if kept is None else f"{kept}, {value.strip()}"
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        method, path, _ = first.split(" ")
        self.seen.append(Seen(method, path, headers, body))
        self._paths.get(path, _not_found)(connection)


def _not_found(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def running(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    site = Site(host, tls)
    try:
        yield site
    finally:
        site.stop()
