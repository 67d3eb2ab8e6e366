"""The system's resolver as the outside world: names are answered by the tests."""

import socket
import threading
from collections import Counter
from typing import Any

from actors.probes import resolver


class Names:
    """`known` are the addresses of names; any other hangs until the test ends, then does not exist."""

    def __init__(self) -> None:
        self.known: dict[str, list[str]] = {}
        self.asked: Counter[str] = Counter()
        self.over = threading.Event()

    def getaddrinfo(self, host: str, port: int | None, family: int = 0, kind: int = 0, *_: Any) -> list[Any]:
        self.asked[host] += 1
        if host not in self.known:
            self.over.wait(10)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(resolver.family_of(ip), kind, 6, "", (ip, port or 0)) for ip in self.known[host]]
