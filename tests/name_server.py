"""A name server on loopback that changes its mind: each question for a name gets the next of its answers."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_HEADER = struct.Struct("!6H")
_IPV4 = 1
_ANSWER = 0x8180


class NameServer:
    """Answers IPv4 questions over UDP with a lifetime of 0; the last answer stays."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._socket.getsockname()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.address)
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            question, client = self._socket.recvfrom(512)
            if not question:
                return
            self.asked += 1
            ip = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            number = _HEADER.unpack_from(question)[0]
            # The name is the one asked for, by reference; then type, class, lifetime, length and the address.
            answer = struct.pack("!3HIH", 0xC00C, _IPV4, 1, 0, 4) + socket.inet_aton(ip)
            self._socket.sendto(_HEADER.pack(number, _ANSWER, 1, 1, 0, 0) + question[12:] + answer, client)

    def ask(self, name: str) -> str:
        """What a system's resolver does: one question, one address."""
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        question = _HEADER.pack(7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", _IPV4, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.sendto(question, self.address)
            return socket.inet_ntoa(client.recv(512)[-4:])


@contextmanager
def answering(name: str, *answers: str, system: Callable[..., Any]) -> Iterator[tuple[NameServer, Callable[..., Any]]]:
    """The server, and a `getaddrinfo` that asks it for `name` and `system` for all others."""
    server = NameServer(*answers)

    def getaddrinfo(host: Any, port: Any, family: int = 0, kind: int = 0, *rest: Any, **more: Any) -> Any:
        if host != name:
            return system(host, port, family, kind, *rest, **more)
        return system(server.ask(name), port, family, kind, *rest, **more)

    try:
        yield server, getaddrinfo
    finally:
        server.stop()
