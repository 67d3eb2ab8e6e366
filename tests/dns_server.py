"""A name server on loopback, over UDP, that a test makes work, fail or fall silent."""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.rdatatype import AAAA, A

Mode = Literal["works", "servfail", "refused", "silent"]
_FAILURES = {"servfail": dns.rcode.SERVFAIL, "refused": dns.rcode.REFUSED}


@dataclass
class DnsServer:
    """`mode` is how it is to everybody; of a server that works, `broken` names fail and `known` names have addresses."""

    address: tuple[str, int] = ("", 0)
    mode: Mode = "works"
    known: dict[str, list[str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def answer(self, wire: bytes) -> bytes | None:
        """The answer to one question, None for none."""
        question = dns.message.from_wire(wire)
        asked = question.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if self.mode == "silent":
            return None
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        if self.mode in _FAILURES:
            answer.set_rcode(_FAILURES[self.mode])
        elif name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.known:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        for ip in self.known.get(name, []) if answer.rcode() == dns.rcode.NOERROR else []:
            if asked.rdtype == (A if ipaddress.ip_address(ip).version == 4 else AAAA):
                answer.answer.append(dns.rrset.from_text(asked.name, 0, "IN", asked.rdtype, ip))
        return answer.to_wire()


@contextmanager
def running(host: str = "127.0.0.1", port: int = 0) -> Iterator[DnsServer]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind((host, port))
        server = DnsServer(bound.getsockname())
        stopping = threading.Event()
        bound.settimeout(0.05)

        def serve() -> None:
            while not stopping.is_set():
                try:
                    wire, client = bound.recvfrom(2048)
                    if (answer := server.answer(wire)) is not None:
                        bound.sendto(answer, client)
                except (TimeoutError, dns.exception.DNSException, ConnectionError):
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            stopping.set()
            thread.join(10)
