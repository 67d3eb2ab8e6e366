"""Checks made in namespaces where this machine lacks something; prints what each scene found as one line of JSON.

`python -m tests.actors.probes.our_trouble_in_a_namespace SCENE` runs in a network and a mount namespace of its own. The
system's resolver asks a name server on its loopback.
"""

import asyncio
import ctypes
import fcntl
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from actors.probes import PROBES, icmp_socket, name_servers
from actors.probes.outcome import Outcome
from actors.probes.target import Target
from tests import dns_server
from tests.actors.probes.checking import check_all, target
from tests.actors.probes.site import running
from tests.dns_server import DnsServer

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
_MS_BIND = 4096
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("http_request", {}),
    ("website", {}),
    ("ping_host", {"packetCount": 1}),
    ("port_check", {"port": 9}),
    ("port_check", {"port": 9, "protocol": "udp", "expect": "hello"}),
)


def look(kind: str, host: str, config: dict[str, Any], port: int = 80, timeout: float = 4.0) -> list[Any]:
    """[status, reason, fault, address that was tried] of one check."""
    one = as_target(kind, host, config, port, timeout)
    return summary_of(check_all([one])[0])


def as_target(kind: str, host: str, config: dict[str, Any], port: int = 80, timeout: float = 4.0) -> Target:
    url = f"http://{host}:{port}/"
    return target(kind, url if kind in {"http_request", "website"} else host, timeout, **config)


def summary_of(outcome: Outcome) -> list[Any]:
    return [outcome.status, outcome.reason, outcome.fault, outcome.details.get("resolvedIp", "")]


def look_all(hosts: Iterable[str]) -> list[list[Any]]:
    """Every kind of check, of one host each."""
    return [look(kind, host, config) for host, (kind, config) in zip(hosts, KINDS, strict=True)]


def five(word: str) -> list[str]:
    return [f"{word}{number}.example" for number in range(len(KINDS))]


def silent(server: DnsServer) -> Any:
    server.mode = "silent"
    return look_all(five("silent"))


def servfail(server: DnsServer) -> Any:
    server.mode = "servfail"
    return look_all(five("servfail"))


def refused(server: DnsServer) -> Any:
    server.mode = "refused"
    return look_all(five("refused"))


def works(server: DnsServer) -> Any:
    """A name that does not exist, and one whose own servers fail: both are the target's."""
    server.broken.update(five("broken"))
    return look_all(five("absent")) + look_all(five("broken"))


def closed(server: DnsServer) -> Any:
    """A closed network: foreign names fail, its own are answered. One whose zone fails is the target's by the second check."""
    server.known["good.example"] = ["127.0.0.1"]
    real = DnsServer.answer

    def answer(self: DnsServer, wire: bytes) -> bytes | None:
        foreign = b"supercheck-" in wire
        self.mode = "servfail" if foreign else "works"
        return real(self, wire)

    DnsServer.answer = answer  # type: ignore[method-assign]
    server.broken.add("broken.example")
    first = look("port_check", "broken.example", {"port": 9})
    name_servers._last_result = None
    look("port_check", "good.example", {"port": 9})
    return [first, look("port_check", "broken.example", {"port": 9})]


def descriptors(server: DnsServer) -> Any:
    """No descriptor is left; neither names nor addresses can be looked at."""
    server.known.update({name: ["127.0.0.1"] for name in five("full")})

    async def before_and_after() -> list[list[Any]]:
        # The loop and what its probes share have their descriptors by then.
        for kind, config in KINDS:
            await PROBES[kind](as_target(kind, "127.0.0.1", config))
        found = []
        for hosts in (["127.0.0.1"] * len(KINDS), five("full")):
            for host, (kind, config) in zip(hosts, KINDS, strict=True):
                icmp_socket._SOCKETS.clear()
                with all_descriptors_taken():
                    found.append(summary_of(await PROBES[kind](as_target(kind, host, config))))
        return found

    return asyncio.run(before_and_after())


@contextmanager
def all_descriptors_taken() -> Iterator[None]:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limit[1]))
    taken = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        yield
    finally:
        for one in taken:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def ports(server: DnsServer) -> Any:
    """All local ports are taken."""
    found = []
    with running() as site, ExitStack() as stack:
        site.answer("/")
        Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("50000 50001")
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            for _ in range(2):
                taken = stack.enter_context(socket.socket(socket.AF_INET, kind))
                taken.connect(("127.0.0.1", site.port))
        found.append(look("http_request", "127.0.0.1", {}, port=site.port))
        found.append(look("port_check", "127.0.0.1", {"port": site.port}))
        found.append(look("port_check", "127.0.0.1", {"port": 9, "protocol": "udp"}))
        found.append(look("port_check", "127.0.0.1", {"port": 9, "protocol": "udp", "expect": "hello"}))
        found.append(look("port_check", "ports.example", {"port": 9}))
    return found


def dead_first(server: DnsServer) -> Any:
    """The first address of each name is dead, the second one answers."""
    with running() as site:
        site.answer("/")
        for name, addresses in {
            "six.example": ["2001:db8::7", "127.0.0.1"],
            "four.example": ["127.0.0.3", "127.0.0.1"],
        }.items():
            server.known[name] = addresses
        return [
            look("http_request", "six.example", {}, port=site.port),
            look("port_check", "six.example", {"port": site.port}),
            look("ping_host", "six.example", {"packetCount": 1}),
            look("port_check", "four.example", {"port": site.port}),
        ]


def gateway(server: DnsServer) -> Any:
    """The way to everything but the local network goes through a gateway that is not there."""
    for command in (
        "link add out type veth peer name nowhere",
        "addr add 10.99.0.2/24 dev out",
        "link set out up",
        "link set nowhere up",
        "route add default via 10.99.0.1",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    found = []
    # Within the three seconds after which the system gives up, and after them.
    for timeout in (1.5, 5.0):
        for kind, config in KINDS:
            found.append(look(kind, "198.51.100.9", config, timeout=timeout))
        found.append(look("port_check", "198.51.100.9", {"port": 9, "protocol": "udp"}, timeout=timeout))
    # A neighbour that is not there is the target's own fault.
    found.append(look("port_check", "10.99.0.7", {"port": 9}, timeout=5.0))
    # And a name that cannot be resolved, because the name server is behind the gateway, is ours.
    name_servers.servers = lambda: [("198.51.100.53", 53)]
    server.mode = "silent"
    return [*found, look("port_check", "behind.example", {"port": 9}, timeout=1.5)]


SCENES: dict[str, Callable[[DnsServer], Any]] = {
    one.__name__: one for one in (silent, servfail, refused, works, closed, descriptors, ports, dead_first, gateway)
}


def main(scene: str) -> None:
    """Raises `OSError` where this machine does not let the namespaces be set up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, _GET_FLAGS, request), 16)
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP))
    with tempfile.NamedTemporaryFile("w") as config, dns_server.running(port=53) as server:
        config.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        config.flush()
        Path(config.name).chmod(0o644)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(config.name.encode(), os.path.realpath("/etc/resolv.conf").encode(), None, _MS_BIND, None):
            raise OSError(ctypes.get_errno(), "the namespace's resolv.conf cannot be mounted")
        print(json.dumps(SCENES[scene](server)))


if __name__ == "__main__":
    main(sys.argv[1])
